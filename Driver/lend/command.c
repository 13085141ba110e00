// SPDX-License-Identifier: GPL-2.0
/* The mailbox of a lent CPU: one command at a time, answered in order. */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "lend.h"

/* An answer that takes longer than this is asked for again. */
#define REMINDER_MS 100

/* While it looks, a monitor on SVM holds off SMIs, for which the whole machine waits. */
#define MOST_POLL_US 1000

static int poll_us_set(const char *value, const struct kernel_param *parameter)
{
	return param_set_uint_minmax(value, parameter, 0, MOST_POLL_US);
}

static const struct kernel_param_ops poll_us_operations = {
	.set = poll_us_set,
	.get = param_get_uint,
};
static unsigned int poll_us = 50;
module_param_cb(poll_us, &poll_us_operations, &poll_us, 0644);
MODULE_PARM_DESC(poll_us, "Microseconds that client and monitor look for each other's answer before they sleep, at most 1000; 0: never");

unsigned int poll_interval_us(void)
{
	return READ_ONCE(poll_us);
}

u32 lent_post(struct lent *lent, u32 command, u64 first, u64 second)
{
	struct apus_cpu *control = lent->control;
	u32 sequence = control->command_sequence + 1;

	control->attention_us = poll_interval_us();
	control->command = command;
	control->argument[0] = first;
	control->argument[1] = second;
	smp_store_release(&control->command_sequence, sequence); /* P2 of docs/model */
	smp_mb(); /* pairs with the monitor's exchange of `awake` before it sleeps */
	if (!READ_ONCE(control->awake))
		ipi_nmi(lent->apic_id);
	return sequence;
}

/* A fault of the monitor: it will answer nothing any more. */
bool lent_stopped(struct lent *lent)
{
	return READ_ONCE(lent->control->state) == APUS_CPU_STOPPED;
}

bool lent_done(struct lent *lent, u32 sequence)
{
	return smp_load_acquire(&lent->control->done_sequence) == sequence;
}

void lent_report_fault(struct lent *lent)
{
	const struct apus_fault *fault = &lent->control->fault;

	if (lent->was_reset)
		return;
	pr_err("CPU %u: the monitor stopped: vector %llu error %#llx rip %#llx rsp %#llx cr2 %#llx rflags %#llx\n",
	       lent->cpu, fault->vector, fault->error, fault->rip, fault->rsp, fault->cr2,
	       fault->rflags);
}

bool lent_answered(struct lent *lent, u32 sequence)
{
	return lent_done(lent, sequence) || lent_stopped(lent);
}

struct waiter {
	struct wait_queue_entry entry;
	struct lent *lent;
	u32 sequence;
};

/* The doorbell rings for every CPU and for more than answers: only who has one wakes up. */
static int wake_if_answered(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct waiter *waiter = container_of(entry, struct waiter, entry);

	if (!lent_answered(waiter->lent, waiter->sequence))
		return 0;
	return autoremove_wake_function(entry, mode, flags, key);
}

/* Waits for an answer, a fault or a signal. */
void lent_wait(struct lent *lent, u32 sequence)
{
	struct waiter waiter = { .lent = lent, .sequence = sequence };

	init_wait_entry(&waiter.entry, 0);
	waiter.entry.func = wake_if_answered;
	while (!prepare_to_wait_event(&doorbell_waiters, &waiter.entry, TASK_INTERRUPTIBLE) &&
	       !lent_answered(lent, sequence))
		schedule();
	finish_wait(&doorbell_waiters, &waiter.entry);
}

/* Waits for an answer whatever signals come, but not for long. */
int lent_await(struct lent *lent, u32 sequence, unsigned int milliseconds)
{
	unsigned long end = jiffies + msecs_to_jiffies(milliseconds);

	for (;;) {
		wait_event_timeout(doorbell_waiters,
				   lent_answered(lent, sequence),
				   msecs_to_jiffies(REMINDER_MS));
		if (lent_done(lent, sequence))
			return 0;
		if (lent_stopped(lent))
			return -EIO;
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		ipi_nmi(lent->apic_id);
	}
}

/* The monitor's answer, or -EIO if there is none. */
long lent_command(struct lent *lent, u32 command, u64 first, u64 second)
{
	u32 sequence = lent_post(lent, command, first, second);
	int error = lent_await(lent, sequence, ANSWER_MS);

	if (!error)
		return lent->control->result;
	if (error == -ETIMEDOUT)
		pr_err("CPU %u does not answer command %u\n", lent->cpu, command);
	return -EIO;
}

/*
 * For a monitor or a guest that does not answer: from here on a CPU that INIT reaches
 * executes nothing. The caller wakes who waits for an answer.
 */
void lent_reset(struct lent *lent)
{
	lent->was_reset |= !lent_stopped(lent);
	ipi_init(lent->apic_id);
	udelay(100);
	WRITE_ONCE(lent->control->state, APUS_CPU_STOPPED);
}
