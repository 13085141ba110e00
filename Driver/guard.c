// SPDX-License-Identifier: GPL-2.0
/* Suspend is refused while a CPU is lent or lost; before a reboot every CPU comes home. */
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/suspend.h>

#include "driver.h"

static int on_power(struct notifier_block *block, unsigned long event, void *data)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		if (!lending_stop(true))
			return NOTIFY_OK;
		if (lent_count())
			pr_info("%u CPUs are lent: no suspend\n", lent_count());
		if (lending_lost())
			pr_info("%u CPUs are lost until the machine is reset: no suspend\n",
				lending_lost());
		return notifier_from_errno(-EBUSY);
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		lending_resume();
	}
	return NOTIFY_OK;
}

/* A lost CPU still writes to memory of this kernel, which the next one takes for its own. */
static void warn_of_kexec(const char *command)
{
	if (lending_lost() && command && !strcmp(command, "kexec reboot"))
		pr_emerg("%u CPUs are lost and may write to the next kernel's memory: reset the machine instead\n",
			 lending_lost());
}

static int on_reboot(struct notifier_block *block, unsigned long event, void *data)
{
	lending_stop(false);
	vm_stop_all();
	warn_of_kexec(data);
	return NOTIFY_OK;
}

static struct notifier_block power = { .notifier_call = on_power };
/* Before others: guests may use devices that these shut down. */
static struct notifier_block reboot = { .notifier_call = on_reboot, .priority = INT_MAX };

int guard_init(void)
{
	int error = register_pm_notifier(&power);

	if (error)
		return error;
	error = register_reboot_notifier(&reboot);
	if (error)
		unregister_pm_notifier(&power);
	return error;
}

void guard_exit(void)
{
	unregister_reboot_notifier(&reboot);
	unregister_pm_notifier(&power);
}
