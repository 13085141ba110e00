// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps Linux's hands off lent CPUs. A claimed CPU that has gone offline is also no longer
 * *present*: with every present CPU booted, Linux sends some of its interrupts to "all but
 * self", and a guest would receive them. So "echo 1 > online" of a lent CPU fails with
 * EINVAL, or with EBUSY in the moments before it is hidden. And being offline already, it
 * could be removed from the machine under its guest (ACPI eject): that is refused as for a
 * device that cannot go offline.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/workqueue.h>

#include "lend.h"

static DECLARE_BITMAP(claimed, NR_CPUS);
static enum cpuhp_state state;

static int refuse_online(unsigned int cpu)
{
	if (!test_bit(cpu, claimed))
		return 0;
	pr_info("CPU %u is lent: not brought online\n", cpu);
	return -EBUSY;
}

/*
 * Near the end of going offline, before Linux decides how it sends interrupts. A claimed
 * CPU goes offline by remove_cpu(), which holds its device's lock.
 */
static int hide(unsigned int cpu)
{
	if (test_bit(cpu, claimed)) {
		set_cpu_present(cpu, false);
		get_cpu_device(cpu)->offline_disabled = true;
	}
	return 0;
}

static void show(unsigned int cpu)
{
	struct device *device = get_cpu_device(cpu);

	device_lock(device);
	device->offline_disabled = false;
	device_unlock(device);
	set_cpu_present(cpu, true);
	clear_bit(cpu, claimed);
}

/* Hotplug is held off (a driver being probed does that), or there is no memory at the moment. */
static bool passes(int error)
{
	return error == -EBUSY || error == -ENOMEM || error == -EAGAIN || error == -EINTR;
}

static DECLARE_BITMAP(late, NR_CPUS);
static void release_late(struct work_struct *work);
static DECLARE_DELAYED_WORK(late_work, release_late);

/* Whoever could not be brought online, for a reason that passes. */
static void release_late(struct work_struct *work)
{
	unsigned int cpu;

	for_each_set_bit(cpu, late, nr_cpu_ids) {
		if (passes(add_cpu(cpu)))
			schedule_delayed_work(&late_work, HZ);
		else
			clear_bit(cpu, late);
	}
}

int hotplug_init(void)
{
	int result = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "x86/apus:prepare",
					       refuse_online, hide);

	if (result < 0)
		return result;
	state = result;
	return 0;
}

void hotplug_exit(void)
{
	cancel_delayed_work_sync(&late_work);
	cpuhp_remove_state_nocalls(state);
}

/* Takes a CPU from Linux: it is offline afterwards, and stays so. */
int hotplug_claim(unsigned int cpu)
{
	int result;

	set_bit(cpu, claimed);
	result = remove_cpu(cpu);
	if (!result && !cpu_online(cpu))
		return 0;
	show(cpu);
	/* 1: it was offline before, which is the administrator's wish. */
	return result < 0 ? result : -ENODEV;
}

#define ATTEMPTS 100
#define ATTEMPT_MS 10

/* A CPU that has left the monitor: as soon as hotplug is possible again. */
void hotplug_release_later(unsigned int cpu)
{
	set_bit(cpu, late);
	schedule_delayed_work(&late_work, HZ);
}

/* Gives a CPU back to Linux: it is online, or there is an error that did not pass in a second. */
int hotplug_release(unsigned int cpu)
{
	int result, attempt;

	show(cpu);
	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		result = add_cpu(cpu);
		if (result >= 0)
			return 0;
		if (!passes(result))
			break;
		msleep(ATTEMPT_MS);
	}
	pr_err("CPU %u does not come online: error %d; try: echo 1 > /sys/devices/system/cpu/cpu%u/online\n",
	       cpu, result, cpu);
	return result;
}

/* It did not come, and may be in the monitor: nobody is to try again. */
void hotplug_abandon(unsigned int cpu)
{
	struct device *device = get_cpu_device(cpu);

	set_bit(cpu, claimed);
	device_lock(device);
	device->offline_disabled = true;
	device_unlock(device);
	set_cpu_present(cpu, false);
}

bool hotplug_is_claimed(unsigned int cpu)
{
	return test_bit(cpu, claimed);
}
