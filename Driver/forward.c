// SPDX-License-Identifier: GPL-2.0
/*
 * ioctls that the monitor serves: the argument travels through the payload pages of the
 * vCPU. Sizes are checked here, meanings there.
 */
#include <linux/uaccess.h>

#include "driver.h"

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
	return _IOC_DIR(request) & _IOC_READ && request != KVM_SET_IRQCHIP;
}

/* Bytes of the whole argument; its first word is counted on once only. */
static long load(void *payload, unsigned int request, const void __user *argument)
{
	struct shape shape;
	u32 count;
	size_t size;

	if (!find_shape(request, &shape))
		return -ENOTTY;
	BUILD_BUG_ON(sizeof(struct kvm_xsave) > APUS_VCPU_PAYLOAD_SIZE);
	size = shape.header;
	if (shape.entry) {
		if (get_user(count, (const u32 __user *)argument))
			return -EFAULT;
		if (count > (APUS_VCPU_PAYLOAD_SIZE - shape.header) / shape.entry)
			return -E2BIG;
		size += count * shape.entry;
	}
	memset(payload, 0, size);
	if (brings_argument(request) && copy_from_user(payload, argument, size))
		return -EFAULT;
	if (shape.entry)
		*(u32 *)payload = count;
	return size;
}

static void *payload_of(struct vcpu *vcpu)
{
	return vcpu->area + APUS_VCPU_PAGE_PAYLOAD * PAGE_SIZE;
}

/* The payload is in place. */
static long ask(struct vcpu *vcpu, u32 command, unsigned int request, size_t size)
{
	long result = vcpu_bind(vcpu);

	if (result)
		return result;
	result = lent_command(vcpu->lent, command, request, size);
	if (result == -EIO)
		vcpu_break(vcpu);
	return result;
}

static long perform(struct vcpu *vcpu, u32 command, unsigned int request,
		    void __user *argument)
{
	void *payload = payload_of(vcpu);
	long size = load(payload, request, argument);
	long result;

	if (size < 0)
		return size;
	result = ask(vcpu, command, request, size);
	if (result >= 0 && takes_answer(request) && copy_to_user(argument, payload, size))
		return -EFAULT;
	return result;
}

long forward(struct vcpu *vcpu, unsigned int request, void __user *argument)
{
	return perform(vcpu, APUS_COMMAND_VCPU, request, argument);
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
long forward_vm(struct vm *vm, unsigned int request, void __user *argument)
{
	struct vcpu *vcpu = any_vcpu(vm);
	long result;

	if (!vm->control->irqchip || !vcpu)
		return -ENXIO;
	result = vcpu_visit(vcpu);
	if (result)
		return result;
	result = perform(vcpu, APUS_COMMAND_VM, request, argument);
	mutex_unlock(&vcpu->lock);
	vcpu_leave(vcpu);
	return result;
}

/* The same with an argument that was copied and checked already. */
long forward_vm_request(struct vm *vm, unsigned int request, const void *argument, size_t size)
{
	struct vcpu *vcpu = any_vcpu(vm);
	long result;

	if (!vcpu)
		return -ENXIO;
	result = vcpu_visit(vcpu);
	if (result)
		return result;
	memcpy(payload_of(vcpu), argument, size);
	result = ask(vcpu, APUS_COMMAND_VM, request, size);
	mutex_unlock(&vcpu->lock);
	vcpu_leave(vcpu);
	return result;
}
