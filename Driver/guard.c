// SPDX-License-Identifier: GPL-2.0
/* Suspend is refused while a CPU is lent; before a reboot every CPU comes home. */
#include <linux/notifier.h>
#include <linux/reboot.h>
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
		pr_info("%u CPUs are lent: no suspend\n", lent_count());
		return notifier_from_errno(-EBUSY);
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		lending_resume();
	}
	return NOTIFY_OK;
}

static int on_reboot(struct notifier_block *block, unsigned long event, void *data)
{
	lending_stop(false);
	vm_stop_all();
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
