// SPDX-License-Identifier: GPL-2.0
/* A CPU's way from Linux to the monitor and back. */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include <asm/smp.h>
#include <asm/tsc.h>

#include "handover.h"

static DEFINE_MUTEX(lending); /* one CPU changes hands at a time */
static bool stopped;          /* suspend or reboot is under way; under `lending` */

static DEFINE_RAW_SPINLOCK(list_lock); /* taken with interrupts off */
static LIST_HEAD(lent_cpus);
static unsigned int count;
static unsigned int lost; /* CPUs that never come back; under `lending` */

static void list_add_lent(struct lent *lent)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&list_lock, flags);
	list_add(&lent->node, &lent_cpus);
	count++;
	/* Under the lock: a doorbell that moves finds this CPU or was seen by it. */
	WRITE_ONCE(lent->control->doorbell, doorbell_command());
	raw_spin_unlock_irqrestore(&list_lock, flags);
}

static void list_remove_lent(struct lent *lent)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&list_lock, flags);
	list_del(&lent->node);
	count--;
	raw_spin_unlock_irqrestore(&list_lock, flags);
}

/* The interrupt that monitors ring with is another one from now on. */
void lent_set_doorbell(u64 doorbell)
{
	struct lent *lent;
	unsigned long flags;

	raw_spin_lock_irqsave(&list_lock, flags);
	list_for_each_entry(lent, &lent_cpus, node)
		WRITE_ONCE(lent->control->doorbell, doorbell);
	raw_spin_unlock_irqrestore(&list_lock, flags);
}

unsigned int lent_count(void)
{
	return READ_ONCE(count);
}

/* CPUs that may be in the monitor until the machine is reset. */
unsigned int lending_lost(void)
{
	return READ_ONCE(lost);
}

static void lent_free(struct lent *lent)
{
	if (!lent)
		return;
	space_free(lent->space);
	free_pages((unsigned long)lent->area, APUS_CPU_ORDER);
	kfree(lent);
}

static struct lent *lent_allocate(unsigned int cpu, const struct apus_image *image)
{
	struct lent *lent = kzalloc(sizeof(*lent), GFP_KERNEL);
	int node = cpu_to_node(cpu);

	if (!lent)
		return NULL;
	lent->cpu = cpu;
	lent->image = image;
	lent->apic_id = per_cpu(x86_cpu_to_apicid, cpu);
	/* What a CPU uses all the time lies in memory near it. */
	lent->area = pages_near(node, 0, APUS_CPU_ORDER);
	if (lent->area)
		lent->space = space_create(image, lent->area, node);
	if (!lent->space) {
		lent_free(lent);
		return NULL;
	}
	lent->control = lent->area + APUS_CPU_PAGE_CONTROL * PAGE_SIZE;
	lent->control->abi_version = APUS_ABI_VERSION;
	lent->control->cpu = cpu;
	lent->control->apic_id = lent->apic_id;
	lent->control->tsc_khz = tsc_khz;
	lent->control->area = __pa(lent->area);
	return lent;
}

/*
 * The CPU goes back to Linux; false if it cannot. INIT does not reach a CPU in VMX root
 * operation, nor one with GIF 0: one that may still be there has left only if Linux can
 * start it. If not, it keeps all that it may use, and this module, for ever.
 */
static bool give_back(struct lent *lent, bool has_left)
{
	ipi_init(lent->apic_id);
	if (!hotplug_release(lent->cpu)) {
		has_left = true;
	} else if (has_left) {
		hotplug_release_later(lent->cpu);
	} else {
		hotplug_abandon(lent->cpu);
		WRITE_ONCE(lost, lost + 1);
		__module_get(THIS_MODULE);
		pr_err("CPU %u is lost until the machine is reset, and so is the memory of its guest\n",
		       lent->cpu);
	}
	if (has_left)
		lent_free(lent);
	return has_left;
}

static struct lent *take(unsigned int cpu, const struct handover *handover)
{
	const struct apus_image *image;
	struct lent *lent;
	int error = stopped ? -EBUSY : fit_check(cpu);

	if (error)
		return ERR_PTR(error);
	image = image_get();
	if (IS_ERR(image))
		return ERR_CAST(image);
	lent = lent_allocate(cpu, image);
	if (!lent)
		return ERR_PTR(-ENOMEM);
	performance_choose(cpu, lent->control);
	error = hotplug_claim(cpu);
	if (error) {
		lent_free(lent);
		return ERR_PTR(error);
	}
	/* Going offline takes a while; who was killed meanwhile wants nothing any more. */
	error = handover_is_unwanted(handover) ? -EINTR : lent_start(lent);
	if (error) {
		u32 state = READ_ONCE(lent->control->state);

		if (state == APUS_CPU_UNFIT)
			pool_note_unfit(cpu);
		/* In the other states it may have begun to virtualise. */
		give_back(lent, state == APUS_CPU_OFF || state == APUS_CPU_UNFIT);
		return ERR_PTR(error);
	}
	list_add_lent(lent);
	return lent;
}

struct lent *lend_cpu(unsigned int cpu, const struct handover *handover)
{
	struct lent *lent;

	mutex_lock(&lending);
	lent = take(cpu, handover);
	mutex_unlock(&lending);
	return lent;
}

/*
 * ENODEV: the pool has no CPU; EBUSY: all of them are lent; EOPNOTSUPP: none is fit; otherwise why
 * the last one that was tried could not be had.
 */
struct lent *lend_from_pool(const struct handover *handover)
{
	struct lent *lent = ERR_PTR(-ENODEV);
	unsigned int cpu;

	mutex_lock(&lending);
	for_each_possible_cpu(cpu) {
		if (!pool_contains(cpu))
			continue;
		if (pool_is_unfit(cpu)) {
			if (lent == ERR_PTR(-ENODEV))
				lent = ERR_PTR(-EOPNOTSUPP);
			continue;
		}
		lent = take(cpu, handover);
		if (!IS_ERR(lent) || lent == ERR_PTR(-EINTR) || lent == ERR_PTR(-ENOMEM))
			break;
	}
	mutex_unlock(&lending);
	return lent;
}

/* The monitor switches virtualisation off, drains the APIC and leaves. */
static bool park(struct lent *lent)
{
	u32 sequence;
	unsigned int tries;

	if (lent_stopped(lent))
		return false;
	sequence = lent_post(lent, APUS_COMMAND_PARK, 0, 0);
	if (lent_await(lent, sequence, LAST_ANSWER_MS))
		return false;
	/* It answers first and drains then. */
	for (tries = 0; tries < 10 * LAST_ANSWER_MS; tries++) {
		if (smp_load_acquire(&lent->control->state) == APUS_CPU_PARKED)
			return true;
		usleep_range(50, 100);
	}
	return false;
}

/*
 * A CPU that does not answer is reset, and what it left behind is cleaned up by a monitor
 * started only for that. False if that cannot be told to have happened.
 */
static bool force(struct lent *lent)
{
	if (lent_stopped(lent))
		lent_report_fault(lent);
	pr_warn("CPU %u is taken back by force\n", lent->cpu);
	ipi_init(lent->apic_id);
	if (!lent_start(lent) && park(lent))
		return true;
	pr_err("CPU %u goes back to Linux as it is\n", lent->cpu);
	return false;
}

/*
 * The monitor goes on after a machine check whose code can go on: one that is broadcast to all CPUs.
 * Linux's CPUs read the banks, and log what they find; this tells whose guest was stopped by it.
 */
static void report_machine_checks(const struct lent *lent)
{
	u64 count = READ_ONCE(lent->control->machine_checks);

	if (count)
		pr_warn("machine checks on CPU %u while it was lent: %llu\n", lent->cpu, count);
}

/* As lent_return(). */
bool lend_take_back(struct lent *lent)
{
	bool has_left;

	mutex_lock(&lending);
	report_machine_checks(lent);
	has_left = park(lent) || force(lent);
	list_remove_lent(lent);
	has_left = give_back(lent, has_left);
	mutex_unlock(&lending);
	return has_left;
}

/* From now on no CPU is lent. EBUSY: some are, or are lost, and that forbids it. */
int lending_stop(bool unless_lent)
{
	int error = 0;

	mutex_lock(&lending);
	if (unless_lent && (lent_count() || lost))
		error = -EBUSY;
	else
		WRITE_ONCE(stopped, true);
	mutex_unlock(&lending);
	return error;
}

void lending_resume(void)
{
	mutex_lock(&lending);
	stopped = false;
	mutex_unlock(&lending);
}

bool lending_is_stopped(void)
{
	return READ_ONCE(stopped);
}
