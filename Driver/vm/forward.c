// SPDX-License-Identifier: GPL-2.0
/*
 * ioctls that the monitor serves: the argument travels through the payload pages of the
 * vCPU. Sizes are checked here, meanings there.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vm.h"

/* A structure that ends with an array whose length its first word says. */
struct shape {
	size_t header;
	size_t entry; /* 0: the structure has a fixed size */
};

static bool find_shape(unsigned int request, struct shape *shape)
{
	shape->header = _IOC_SIZE(request);
	shape->entry = 0;
	switch (request) {
	case KVM_GET_REGS:
	case KVM_SET_REGS:
	case KVM_GET_SREGS:
	case KVM_SET_SREGS:
	case KVM_GET_FPU:
	case KVM_SET_FPU:
	case KVM_GET_LAPIC:
	case KVM_SET_LAPIC:
	case KVM_GET_MP_STATE:
	case KVM_SET_MP_STATE:
	case KVM_GET_VCPU_EVENTS:
	case KVM_SET_VCPU_EVENTS:
	case KVM_GET_DEBUGREGS:
	case KVM_SET_DEBUGREGS:
	case KVM_GET_XSAVE:
	case KVM_SET_XSAVE:
	case KVM_GET_XCRS:
	case KVM_SET_XCRS:
	case KVM_GET_IRQCHIP:
	case KVM_SET_IRQCHIP:
	case KVM_GET_PIT2:
	case KVM_SET_PIT2:
	case KVM_ENABLE_CAP:
	case KVM_X86_SETUP_MCE:
	case KVM_X86_SET_MCE:
	case KVM_SET_VAPIC_ADDR:
	case KVM_INTERRUPT:
	case KVM_TPR_ACCESS_REPORTING:
	case KVM_SET_GUEST_DEBUG:
	case KVM_TRANSLATE:
	case KVM_GET_SREGS2:
	case KVM_SET_SREGS2:
	case KVM_KVMCLOCK_CTRL:
	case KVM_APUS_SET_TIMER:
		return true;
	case KVM_GET_MSRS:
	case KVM_SET_MSRS:
		shape->entry = sizeof(struct kvm_msr_entry);
		return true;
	case KVM_GET_CPUID2:
	case KVM_SET_CPUID2:
		shape->entry = sizeof(struct kvm_cpuid_entry2);
		return true;
	default:
		return false;
	}
}

static bool is_for_vm(unsigned int request)
{
	return request == KVM_GET_IRQCHIP || request == KVM_SET_IRQCHIP ||
	       request == KVM_GET_PIT2 || request == KVM_SET_PIT2;
}

bool forward_knows(unsigned int request)
{
	struct shape shape;

	return find_shape(request, &shape) && !is_for_vm(request);
}

/* KVM_SET_IRQCHIP is declared the wrong way round. */
static bool brings_argument(unsigned int request)
{
	return _IOC_DIR(request) & _IOC_WRITE || request == KVM_SET_IRQCHIP;
}

static bool takes_answer(unsigned int request)
{
	return (_IOC_DIR(request) & _IOC_READ && request != KVM_SET_IRQCHIP) ||
	       request == KVM_GET_DEVICE_ATTR;
}

/*
 * A client's argument on its way. It is copied while no lock is held: an access to a client's
 * memory may take for ever (userfaultfd, FUSE), and a reboot waits for vcpu->lock.
 */
struct parcel {
	unsigned int request;
	size_t size;
	void *bytes;
};

/* Bytes of the whole argument; its first word is counted on once only. */
static long measure(const struct shape *shape, const void __user *argument, u32 *count)
{
	BUILD_BUG_ON(sizeof(struct kvm_xsave) > APUS_VCPU_PAYLOAD_SIZE);
	if (!shape->entry)
		return shape->header;
	if (get_user(*count, (const u32 __user *)argument))
		return -EFAULT;
	if (*count > (APUS_VCPU_PAYLOAD_SIZE - shape->header) / shape->entry)
		return -E2BIG;
	return shape->header + *count * shape->entry;
}

static long load(struct parcel *parcel, unsigned int request, const void __user *argument)
{
	struct shape shape;
	u32 count = 0;
	long size;

	if (!find_shape(request, &shape))
		return -ENOTTY;
	size = measure(&shape, argument, &count);
	if (size < 0)
		return size;
	parcel->request = request;
	parcel->size = size;
	parcel->bytes = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!parcel->bytes)
		return -ENOMEM;
	if (brings_argument(request) && copy_from_user(parcel->bytes, argument, size)) {
		kvfree(parcel->bytes);
		return -EFAULT;
	}
	if (shape.entry)
		*(u32 *)parcel->bytes = count;
	return 0;
}

/* The end of a parcel. */
static long unload(struct parcel *parcel, long result, void __user *argument)
{
	if (result >= 0 && takes_answer(parcel->request) &&
	    copy_to_user(argument, parcel->bytes, parcel->size))
		result = -EFAULT;
	kvfree(parcel->bytes);
	return result;
}

/* Under vcpu->lock. */
static long ask(struct vcpu *vcpu, u32 command, const struct parcel *parcel)
{
	void *payload = vcpu->area + APUS_VCPU_PAGE_PAYLOAD * PAGE_SIZE;
	long result = vcpu_bind(vcpu);

	if (result)
		return result;
	memcpy(payload, parcel->bytes, parcel->size);
	result = lent_command(vcpu->lent, command, parcel->request, parcel->size);
	if (result == -EIO)
		vcpu_break(vcpu);
	if (result >= 0 && takes_answer(parcel->request))
		memcpy(parcel->bytes, payload, parcel->size);
	return result;
}

/* What another thread than KVM_RUN's asks for does not wait for the end of that. */
static bool interrupts_run(unsigned int request)
{
	return request == KVM_APUS_SET_TIMER;
}

long forward(struct vcpu *vcpu, unsigned int request, void __user *argument)
{
	struct parcel parcel;
	bool visits = interrupts_run(request);
	long result = load(&parcel, request, argument);

	if (result)
		return result;
	if (visits)
		result = vcpu_visit(vcpu);
	else if (mutex_lock_killable(&vcpu->lock))
		result = -EINTR;
	if (!result) {
		result = ask(vcpu, APUS_COMMAND_VCPU, &parcel);
		mutex_unlock(&vcpu->lock);
		if (visits)
			vcpu_leave(vcpu);
	}
	return unload(&parcel, result, argument);
}

/* An attribute's value lies where the attribute says. */
long forward_attribute(struct vcpu *vcpu, unsigned int request, u64 __user *address)
{
	u64 value = 0;
	struct parcel parcel = { .request = request, .size = sizeof(value), .bytes = &value };
	long result;

	if (request == KVM_SET_DEVICE_ATTR && get_user(value, address))
		return -EFAULT;
	if (mutex_lock_killable(&vcpu->lock))
		return -EINTR;
	result = ask(vcpu, APUS_COMMAND_VCPU, &parcel);
	mutex_unlock(&vcpu->lock);
	if (!result && request == KVM_GET_DEVICE_ATTR && put_user(value, address))
		result = -EFAULT;
	return result;
}

static struct vcpu *any_vcpu(struct vm *vm)
{
	struct vcpu *found = NULL;
	int id;

	for (id = 0; id < APUS_VCPUS; id++) {
		struct vcpu *vcpu = smp_load_acquire(&vm->vcpus[id]);

		if (!vcpu || READ_ONCE(vcpu->closed) || READ_ONCE(vcpu->broken))
			continue;
		if (!found)
			found = vcpu;
		/* One that has a CPU, and best one that does not run. */
		if (READ_ONCE(vcpu->lent)) {
			found = vcpu;
			if (!mutex_is_locked(&vcpu->lock))
				break;
		}
	}
	return found;
}

/* The VM's own devices live in the monitor: a CPU of the VM is asked for them. */
static long ask_any(struct vm *vm, const struct parcel *parcel)
{
	struct vcpu *vcpu = any_vcpu(vm);
	long result;

	if (!vcpu)
		return -ENXIO;
	result = vcpu_visit(vcpu);
	if (result)
		return result;
	result = ask(vcpu, APUS_COMMAND_VM, parcel);
	mutex_unlock(&vcpu->lock);
	vcpu_leave(vcpu);
	return result;
}

long forward_vm(struct vm *vm, unsigned int request, void __user *argument)
{
	struct parcel parcel;
	long result;

	if (!has_controllers(vm))
		return -ENXIO;
	result = load(&parcel, request, argument);
	if (result)
		return result;
	result = ask_any(vm, &parcel);
	if (!result && request == KVM_SET_IRQCHIP)
		lines_adopt(vm);
	return unload(&parcel, result, argument);
}

/* With an argument that was copied and checked already, and no answer but the result. */
long forward_vm_request(struct vm *vm, unsigned int request, void *argument, size_t size)
{
	struct parcel parcel = { .request = request, .size = size, .bytes = argument };

	return ask_any(vm, &parcel);
}
