// SPDX-License-Identifier: GPL-2.0
/* APUS_GET_HOST: what this machine is, for `apus check`. */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "driver.h"

#define VM_CR_SVM_DISABLE BIT(4)
#define FEATURE_CONTROL_LOCKED BIT(0)
#define FEATURE_CONTROL_VMX BIT(2)

/* Of the processor itself: Linux clears the feature bits that firmware forbids. */
static u32 vendor(void)
{
	if (cpuid_eax(0x80000000) >= 0x8000000a && cpuid_ecx(0x80000001) & BIT(2))
		return APUS_VENDOR_SVM;
	if (cpuid_ecx(1) & BIT(5))
		return APUS_VENDOR_VMX;
	return APUS_VENDOR_NONE;
}

static bool is_firmware_off(u32 which)
{
	u64 value;

	switch (which) {
	case APUS_VENDOR_SVM:
		return !rdmsrl_safe(MSR_VM_CR, &value) && value & VM_CR_SVM_DISABLE;
	case APUS_VENDOR_VMX:
		return !rdmsrl_safe(MSR_IA32_FEAT_CTL, &value) &&
		       value & FEATURE_CONTROL_LOCKED && !(value & FEATURE_CONTROL_VMX);
	default:
		return false;
	}
}

static u8 cpu_use(unsigned int cpu)
{
	if (hotplug_is_claimed(cpu))
		return APUS_USE_LENT;
	return cpu_online(cpu) ? APUS_USE_LINUX : APUS_USE_OFFLINE;
}

static u8 cpu_marks(unsigned int cpu)
{
	u8 marks = 0;

	if (pool_contains(cpu))
		marks |= APUS_MARK_POOL;
	if (fit_is_bootstrap(cpu))
		marks |= APUS_MARK_BOOTSTRAP;
	if (fit_takes_for_others(cpu))
		marks |= APUS_MARK_FLAT;
	return marks;
}

static void describe(struct apus_host *host)
{
	const struct apus_image *image = image_get();
	unsigned int cpu;

	host->abi_version = APUS_ABI_VERSION;
	host->vendor = vendor();
	host->tsc_khz = tsc_khz;
	host->vm_count = vm_count();
	if (is_firmware_off(host->vendor))
		host->flags |= APUS_HOST_FIRMWARE_OFF;
	if (check_tsc_unstable())
		host->flags |= APUS_HOST_TSC_UNSTABLE;
	if (fit_is_unsuitable_host())
		host->flags |= APUS_HOST_UNSUITABLE;
	if (image == ERR_PTR(-EKEYREJECTED))
		host->flags |= APUS_HOST_MONITOR_OTHER;
	else if (IS_ERR(image))
		host->flags |= APUS_HOST_MONITOR_MISSING;
	else
		host->image_size = image_size(image);
	for_each_possible_cpu(cpu) {
		if (cpu >= APUS_MAX_CPUS)
			break;
		host->cpu_count = cpu + 1;
		host->use[cpu] = cpu_use(cpu);
		host->marks[cpu] = cpu_marks(cpu);
	}
}

long host_describe(struct apus_host __user *argument)
{
	struct apus_host *host = kzalloc(sizeof(*host), GFP_KERNEL);
	long result;

	if (!host)
		return -ENOMEM;
	describe(host);
	result = copy_to_user(argument, host, sizeof(*host)) ? -EFAULT : 0;
	kfree(host);
	return result;
}
