// SPDX-License-Identifier: GPL-2.0
/* Starts the monitor on a CPU that Linux took offline. */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/jiffies.h>

#include "lend.h"

/* Milliseconds at the most; generous for emulated machines, whose CPUs starve at times. */
#define ARRIVAL_MS 3000
#define READY_MS 3000

static void report_unfit(struct lent *lent)
{
	u32 reason = lent->control->reason;
	bool named = reason == APUS_UNFIT_CONTROL;

	pr_err("CPU %u cannot run guests: %s%s%s\n", lent->cpu, apus_unfit_words(reason),
	       named ? ": " : "", named ? apus_control_words(lent->control->detail) : "");
}

static u32 lent_state(struct lent *lent)
{
	return smp_load_acquire(&lent->control->state);
}

/* Polls: a CPU that is just starting has other worries than the doorbell. */
static bool await_change(struct lent *lent, u32 from, unsigned int milliseconds)
{
	unsigned long end = jiffies + msecs_to_jiffies(milliseconds);

	while (lent_state(lent) == from && time_before(jiffies, end))
		usleep_range(50, 100);
	return lent_state(lent) != from;
}

static void write_trampoline(struct lent *lent, const struct apus_image *image,
			     struct borrowed *borrowed)
{
	const struct apus_image_header *header = image_header(image);
	struct apus_trampoline_arguments *arguments =
		borrowed->page + APUS_TRAMPOLINE_ARGUMENTS;

	memcpy(borrowed->page, image_at(image, header->trampoline, header->trampoline_size),
	       header->trampoline_size);
	arguments->page_table = space_root(lent->space);
	arguments->stack = APUS_WINDOW_BASE + (APUS_WINDOW_CPU + APUS_CPU_PAGES) * PAGE_SIZE;
	arguments->entry = image_entry(image);
}

static bool wake(struct lent *lent, phys_addr_t page)
{
	ipi_init(lent->apic_id);
	usleep_range(10000, 12000);
	ipi_startup(lent->apic_id, page);
	udelay(200);
	/* The second one is for processors that miss the first; others ignore it. */
	if (lent_state(lent) == APUS_CPU_OFF)
		ipi_startup(lent->apic_id, page);
	return await_change(lent, APUS_CPU_OFF, ARRIVAL_MS);
}

/* From reset to the monitor's own page tables, with the help of a borrowed page. */
static int arrive(struct lent *lent, const struct apus_image *image)
{
	struct borrowed borrowed;
	bool arrived;
	int error;

	cpus_read_lock(); /* no other CPU is started by way of low memory meanwhile */
	error = borrow(&borrowed);
	if (error)
		goto unlock;
	write_trampoline(lent, image, &borrowed);
	space_map_low(lent->space, borrowed.address);
	arrived = wake(lent, borrowed.address);
	if (!arrived) {
		ipi_init(lent->apic_id); /* it must not run there any more */
		udelay(100);
	}
	space_unmap_low(lent->space, borrowed.address);
	borrow_end(&borrowed);
	if (!arrived) {
		pr_err("CPU %u does not start\n", lent->cpu);
		error = -EIO;
	}
unlock:
	cpus_read_unlock();
	return error;
}

static void prepare(struct lent *lent)
{
	struct apus_cpu *control = lent->control;

	lent->was_reset = false;
	control->state = APUS_CPU_OFF;
	control->reason = APUS_UNFIT_NONE;
	control->proceed = 0;
	control->command = APUS_COMMAND_NONE;
	control->awake = 0;
	control->watching = 0;
	/* A command that a monitor before this one left unanswered. */
	control->done_sequence = control->command_sequence;
	WRITE_ONCE(control->doorbell, doorbell_command());
	space_renew(lent->space);
	smp_mb();
}

/* On failure the CPU may be anywhere in the monitor: INIT it. */
int lent_start(struct lent *lent)
{
	int error;

	prepare(lent);
	error = arrive(lent, lent->image);
	if (error)
		return error;
	smp_store_release(&lent->control->proceed, 1);
	await_change(lent, APUS_CPU_ARRIVED, READY_MS);
	switch (lent_state(lent)) {
	case APUS_CPU_READY:
		return 0;
	case APUS_CPU_UNFIT:
		report_unfit(lent);
		return -EOPNOTSUPP;
	case APUS_CPU_STOPPED:
		lent_report_fault(lent);
		return -EIO;
	default:
		pr_err("CPU %u does not get ready\n", lent->cpu);
		return -EIO;
	}
}
