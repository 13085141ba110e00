// SPDX-License-Identifier: GPL-2.0
/*
 * I/O ports of the machine itself that a guest reaches without an exit. They are Linux's no
 * longer while the VM lives: request_region() says so to every other driver.
 */
#include <linux/capability.h>
#include <linux/ioport.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vm.h"

#define END_OF_PORTS 0x10000u

struct passed {
	struct list_head node;
	u16 first;
	u16 count;
};

static int check(const struct apus_ports *ports)
{
	if (ports->flags || !ports->count || ports->first + ports->count > END_OF_PORTS)
		return -EINVAL;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	return security_locked_down(LOCKDOWN_IOPORT);
}

static long pass(struct vm *vm, struct apus_ports *ports)
{
	struct passed *passed = kmalloc(sizeof(*passed), GFP_KERNEL_ACCOUNT);
	long result;

	if (!passed)
		return -ENOMEM;
	passed->first = ports->first;
	passed->count = ports->count;
	if (!request_region(passed->first, passed->count, KBUILD_MODNAME)) {
		kfree(passed);
		return -EBUSY;
	}
	/* Which ports may never be a guest's is the monitor's to say. */
	result = forward_vm_request(vm, KVM_APUS_PASS_PORTS, ports, sizeof(*ports));
	/* Without an answer they may be open to the VM's other vCPUs: they stay the guest's. */
	if (result && result != -EIO) {
		release_region(passed->first, passed->count);
		kfree(passed);
		return result;
	}
	list_add(&passed->node, &vm->ports);
	return result;
}

/* KVM_APUS_PASS_PORTS */
long ports_pass(struct vm *vm, const void __user *argument)
{
	struct apus_ports ports;
	long result;

	if (copy_from_user(&ports, argument, sizeof(ports)))
		return -EFAULT;
	result = check(&ports);
	if (result)
		return result;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	result = pass(vm, &ports);
	mutex_unlock(&vm->lock);
	return result;
}

/* When no CPU runs the guest any more. */
void ports_free(struct vm *vm)
{
	struct passed *passed, *next;

	list_for_each_entry_safe(passed, next, &vm->ports, node) {
		list_del(&passed->node);
		release_region(passed->first, passed->count);
		kfree(passed);
	}
}
