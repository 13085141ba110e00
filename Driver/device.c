// SPDX-License-Identifier: GPL-2.0
/* The ioctls of /dev/apus itself. */
#include <linux/module.h>

#include "driver.h"

static long device_ioctl(struct file *file, unsigned int request, unsigned long value)
{
	void __user *argument = (void __user *)value;

	switch (request) {
	case KVM_GET_API_VERSION:
		return value ? -EINVAL : KVM_API_VERSION;
	case KVM_CHECK_EXTENSION:
		return capability(value);
	case KVM_CREATE_VM:
		return vm_create(value);
	case KVM_GET_VCPU_MMAP_SIZE:
		return value ? -EINVAL : APUS_VCPU_MMAP_PAGES * PAGE_SIZE;
	case KVM_GET_SUPPORTED_CPUID:
		return cpuid_supported(argument);
	case KVM_GET_MSR_INDEX_LIST:
		return msr_index_list(argument);
	case KVM_GET_MSR_FEATURE_INDEX_LIST:
		return msr_feature_list(argument);
	case KVM_GET_MSRS:
		return msr_features(argument);
	case KVM_X86_GET_MCE_CAP_SUPPORTED:
		return machine_check_capability(argument);
	case APUS_GET_HOST:
		return host_describe(argument);
	case APUS_GET_INTERRUPTS:
		return bypasses_describe(argument);
	case APUS_RECLAIM_CPU:
		return vms_reclaim(value);
	default:
		return -ENOTTY;
	}
}

const struct file_operations apus_device_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	.llseek = noop_llseek,
};
