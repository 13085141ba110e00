// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_ENABLE_CAP of a VM: what a client may switch on, or asks for and has anyway. What changes
 * how a guest is run stands in struct apus_vm, and the monitor heeds it.
 */
#include <linux/uaccess.h>

#include "vm.h"

static long disable_quirks(struct vm *vm, u64 quirks)
{
	if (quirks & ~(u64)DISABLED_QUIRKS)
		return -EINVAL;
	WRITE_ONCE(vm->control->disabled_quirks, quirks);
	return 0;
}

static long set_enabled(struct vm *vm, u32 flag, bool on)
{
	if (on)
		shared_or(&vm->control->enabled, flag);
	else
		shared_clear(&vm->control->enabled, flag);
	return 0;
}

static long set_msr_exits(struct vm *vm, u64 reasons)
{
	if (reasons & ~(u64)MSR_EXITS)
		return -EINVAL;
	WRITE_ONCE(vm->control->msr_exits, reasons);
	return 0;
}

static long name_cpus(struct vm *vm, u64 wish)
{
	if (wish & ~(u64)APUS_CLIENT_NAMES_CPUS)
		return -EINVAL;
	WRITE_ONCE(vm->names_cpus, wish);
	return 0;
}

/* Once, or again to the same. */
static long limit_vcpu_ids(struct vm *vm, u64 most)
{
	long result = 0;

	if (!most)
		return 0;
	if (most > APUS_VCPUS)
		return -EINVAL;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	if (vm->control->vcpu_count || (vm->limits_ids && vm->most_vcpu_ids != most))
		result = -EINVAL;
	if (!result) {
		vm->limits_ids = true;
		vm->most_vcpu_ids = most;
	}
	mutex_unlock(&vm->lock);
	return result;
}

/* The first routes are the pins of the client's I/O APIC: each is a message here. */
static long split_irqchip(struct vm *vm, u64 reserved_routes)
{
	long result = 0;

	if (reserved_routes > MOST_ROUTES)
		return -EINVAL;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	if (vm->control->irqchip || vm->control->vcpu_count)
		result = -EEXIST;
	else
		WRITE_ONCE(vm->control->irqchip, APUS_IRQCHIP_SPLIT);
	mutex_unlock(&vm->lock);
	return result;
}

long vm_enable(struct vm *vm, const void __user *argument)
{
	struct kvm_enable_cap wanted;

	if (copy_from_user(&wanted, argument, sizeof(wanted)))
		return -EFAULT;
	if (wanted.flags)
		return -EINVAL;
	switch (wanted.cap) {
	case KVM_CAP_DISABLE_QUIRKS: /* which knows no wrong bits */
		return disable_quirks(vm, wanted.args[0] & DISABLED_QUIRKS);
	case KVM_CAP_DISABLE_QUIRKS2:
		return disable_quirks(vm, wanted.args[0]);
	case KVM_CAP_MAX_VCPU_ID:
		return limit_vcpu_ids(vm, wanted.args[0]);
	case KVM_CAP_X86_DISABLE_EXITS:
		/* They are never on. */
		return wanted.args[0] & ~(u64)NEVER_EXITS ? -EINVAL : 0;
	case KVM_CAP_EXCEPTION_PAYLOAD:
		return set_enabled(vm, APUS_ENABLED_PAYLOAD, wanted.args[0]);
	case KVM_CAP_X86_TRIPLE_FAULT_EVENT:
		return set_enabled(vm, APUS_ENABLED_TRIPLE_FAULT, wanted.args[0]);
	case KVM_CAP_MSR_PLATFORM_INFO:
		return set_enabled(vm, APUS_ENABLED_NO_PLATFORM_INFO, !wanted.args[0]);
	case KVM_CAP_APUS:
		return name_cpus(vm, wanted.args[0]);
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		return slots_set_manual_log(vm, wanted.args[0]);
	case KVM_CAP_X86_USER_SPACE_MSR:
		return set_msr_exits(vm, wanted.args[0]);
	case KVM_CAP_SPLIT_IRQCHIP:
		return split_irqchip(vm, wanted.args[0]);
	default:
		return -EINVAL;
	}
}
