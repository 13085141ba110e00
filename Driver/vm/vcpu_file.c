// SPDX-License-Identifier: GPL-2.0
/* A vCPU's file descriptor: its ioctls and the pages that the client maps. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include <asm/tsc.h>

#include "compat.h"
#include "vm.h"
#include "vcpu_file.h"

static long get_statistics(struct vcpu *vcpu, void __user *argument)
{
	struct apus_statistics statistics = vcpu->control->statistics;

	statistics.kicks = atomic64_read(&vcpu->kicks);
	statistics.interrupts_sent = atomic64_read(&vcpu->interrupts);
	statistics.lent_cpu = atomic_read(&vcpu->last_cpu);
	return copy_to_user(argument, &statistics, sizeof(statistics)) ? -EFAULT : 0;
}

static long get_last_exits(struct vcpu *vcpu, void __user *argument)
{
	struct apus_last_exits last = { .count = READ_ONCE(vcpu->control->last_exit_count) };

	BUILD_BUG_ON(sizeof(last.exits) != sizeof(vcpu->control->last_exits));
	memcpy(last.exits, vcpu->control->last_exits, sizeof(last.exits));
	return copy_to_user(argument, &last, sizeof(last)) ? -EFAULT : 0;
}

static long set_signal_mask(struct vcpu *vcpu, const void __user *argument)
{
	const struct kvm_signal_mask __user *user = argument;
	struct kvm_signal_mask mask;
	sigset_t signals = {};

	if (argument) {
		if (copy_from_user(&mask, user, sizeof(mask)))
			return -EFAULT;
		if (mask.len != sizeof(signals))
			return -EINVAL;
		if (copy_from_user(&signals, user->sigset, sizeof(signals)))
			return -EFAULT;
		sigdelsetmask(&signals, sigmask(SIGKILL) | sigmask(SIGSTOP));
	}
	if (mutex_lock_killable(&vcpu->lock))
		return -EINTR;
	vcpu->masks_signals = argument != NULL;
	vcpu->signals = signals;
	mutex_unlock(&vcpu->lock);
	return 0;
}

/* KVM_VCPU_TSC_CTRL: the only group, with one attribute. */
static long use_attribute(struct vcpu *vcpu, unsigned int request, const void __user *argument)
{
	struct kvm_device_attr attribute;

	if (copy_from_user(&attribute, argument, sizeof(attribute)))
		return -EFAULT;
	if (attribute.group != KVM_VCPU_TSC_CTRL || attribute.attr != KVM_VCPU_TSC_OFFSET)
		return -ENXIO;
	if (request == KVM_HAS_DEVICE_ATTR)
		return 0;
	return forward_attribute(vcpu, request, u64_to_user_ptr(attribute.addr));
}

static long request_nmi(struct vcpu *vcpu)
{
	vcpu_send_nmi(vcpu);
	return 0;
}

/* Nothing here touches the client's memory: that may take for ever. */
static long locked_ioctl(struct vcpu *vcpu, unsigned int request, unsigned long value)
{
	switch (request) {
	case KVM_RUN:
		return value ? -EINVAL : vcpu_run(vcpu);
	case KVM_SET_LENT_CPU:
		return vcpu_set_lent_cpu(vcpu, value);
	case KVM_GET_LENT_CPU:
		return vcpu->lent ? vcpu->lent->cpu : -ENOENT;
	case KVM_GET_TSC_KHZ:
		return tsc_khz;
	case KVM_SET_TSC_KHZ:
		/* The guest's TSC is the host's; 0 asks for just that. */
		return value && value != tsc_khz ? -EINVAL : 0;
	default:
		return -ENOTTY;
	}
}

static bool needs_lock(unsigned int request)
{
	switch (request) {
	case KVM_RUN:
	case KVM_SET_LENT_CPU:
	case KVM_GET_LENT_CPU:
	case KVM_GET_TSC_KHZ:
	case KVM_SET_TSC_KHZ:
		return true;
	default:
		return false;
	}
}

static long vcpu_ioctl(struct file *file, unsigned int request, unsigned long value)
{
	struct vcpu *vcpu = file->private_data;
	void __user *argument = (void __user *)value;
	long result;

	if (vcpu->vm->mm != current->mm)
		return -EIO;
	/* The first also for other threads while this vCPU runs. */
	switch (request) {
	case KVM_APUS_GET_STATISTICS:
		return get_statistics(vcpu, argument);
	case KVM_APUS_GET_LAST_EXITS:
		return get_last_exits(vcpu, argument);
	case KVM_GET_STATS_FD:
		return stats_open(vcpu->vm, vcpu);
	case KVM_HAS_DEVICE_ATTR:
	case KVM_GET_DEVICE_ATTR:
	case KVM_SET_DEVICE_ATTR:
		return use_attribute(vcpu, request, argument);
	case KVM_NMI:
		return request_nmi(vcpu);
	case KVM_APUS_TRACE:
		return vcpu_trace(vcpu, value);
	case KVM_SET_SIGNAL_MASK:
		return set_signal_mask(vcpu, argument);
	}
	if (forward_knows(request))
		return forward(vcpu, request, argument);
	if (!needs_lock(request))
		return -ENOTTY;
	if (mutex_lock_killable(&vcpu->lock))
		return -EINTR;
	result = locked_ioctl(vcpu, request, value);
	mutex_unlock(&vcpu->lock);
	return result;
}

static unsigned long frame_of(struct vcpu *vcpu, unsigned long page)
{
	if (page == RING_MMAP_PAGE)
		return PHYS_PFN(__pa(vcpu->vm->control)) + APUS_VM_PAGE_RING;
	return PHYS_PFN(__pa(vcpu->area)) + page;
}

/* From its start, to be read only. It lives as long as the vCPU, which the mapping's file holds. */
static int map_trace(struct vcpu *vcpu, struct vm_area_struct *area)
{
	struct apus_trace *trace = smp_load_acquire(&vcpu->trace);

	if (!trace || area->vm_pgoff != APUS_TRACE_MMAP_PAGE ||
	    vma_pages(area) > APUS_TRACE_PAGES || area->vm_flags & VM_WRITE)
		return -EINVAL;
	apus_vm_flags_clear(area, VM_MAYWRITE);
	apus_vm_flags_set(area, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	return remap_pfn_range(area, area->vm_start, PHYS_PFN(__pa(trace)),
			       vma_pages(area) * PAGE_SIZE, area->vm_page_prot);
}

/*
 * struct kvm_run, the page of port data, and the ring of the VM; then the trace. Nothing else of either
 * area can be mapped.
 */
static int vcpu_mmap(struct file *file, struct vm_area_struct *area)
{
	struct vcpu *vcpu = file->private_data;
	unsigned long pages = vma_pages(area);
	unsigned long page;
	int error = 0;

	if (vcpu->vm->mm != area->vm_mm)
		return -EIO;
	if (!(area->vm_flags & VM_SHARED))
		return -EINVAL;
	if (area->vm_pgoff >= APUS_TRACE_MMAP_PAGE)
		return map_trace(vcpu, area);
	if (area->vm_pgoff >= APUS_VCPU_MMAP_PAGES ||
	    pages > APUS_VCPU_MMAP_PAGES - area->vm_pgoff)
		return -EINVAL;
	/* A child's copy would keep the CPU from going home with its owner. */
	apus_vm_flags_set(area, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	for (page = 0; page < pages && !error; page++)
		error = remap_pfn_range(area, area->vm_start + page * PAGE_SIZE,
					frame_of(vcpu, area->vm_pgoff + page), PAGE_SIZE,
					area->vm_page_prot);
	return error;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	vcpu_close(file->private_data);
	return 0;
}

const struct file_operations vcpu_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vcpu_ioctl,
	.mmap = vcpu_mmap,
	.release = vcpu_release,
	.llseek = noop_llseek,
};
