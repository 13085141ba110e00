// SPDX-License-Identifier: GPL-2.0
/* The module: /dev/apus comes last and goes first. Loading it lends nothing. */
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "driver.h"

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "apus",
	.mode = 0660, /* root's; udev names a group, as for /dev/kvm */
	.fops = &apus_device_operations,
};

/* Whoever has opened the device finds it: misc_register() sets it before it lets anybody open. */
struct device *apus_device(void)
{
	return device.this_device;
}

static int __init apus_init(void)
{
	int error = irqfd_init();

	if (error)
		return error;
	error = hotplug_init();
	if (error)
		goto no_hotplug;
	error = handover_init();
	if (error)
		goto no_handover;
	error = doorbell_init(vms_follow);
	if (error)
		goto no_doorbell;
	error = guard_init();
	if (error)
		goto no_guard;
	fit_init();
	error = misc_register(&device);
	if (error)
		goto no_device;
	debug_init();
	return 0;

no_device:
	guard_exit();
no_guard:
	doorbell_exit();
no_doorbell:
	handover_exit();
no_handover:
	hotplug_exit();
no_hotplug:
	irqfd_exit();
	return error;
}

/* Every VM holds a reference to the module: there is none any more. */
static void __exit apus_exit(void)
{
	debug_exit();
	misc_deregister(&device);
	guard_exit();
	doorbell_exit();
	handover_exit();
	hotplug_exit();
	irqfd_exit();
	accounts_free();
	image_free();
}

module_init(apus_init);
module_exit(apus_exit);
MODULE_DESCRIPTION("Gives virtual machines processors of their own");
MODULE_AUTHOR("The Apus developers");
MODULE_LICENSE("GPL");
