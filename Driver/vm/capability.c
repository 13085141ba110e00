// SPDX-License-Identifier: GPL-2.0
/* KVM_CHECK_EXTENSION: what is here, and 0 for everything else. */
#include <linux/cpumask.h>

#include "vm.h"

int capability(unsigned long which)
{
	switch (which) {
	case KVM_CAP_APUS:
		return APUS_ABI_VERSION;
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_DESTROY_MEMORY_REGION_WORKS:
	case KVM_CAP_JOIN_MEMORY_REGIONS_WORKS:
	case KVM_CAP_READONLY_MEM:
	case KVM_CAP_SET_TSS_ADDR:
	case KVM_CAP_SET_IDENTITY_MAP_ADDR:
	case KVM_CAP_EXT_CPUID:
	case KVM_CAP_MP_STATE:
	case KVM_CAP_VCPU_EVENTS:
	case KVM_CAP_DEBUGREGS:
	case KVM_CAP_XSAVE:
	case KVM_CAP_XCRS:
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_IRQ_INJECT_STATUS:
	case KVM_CAP_SIGNAL_MSI:
	case KVM_CAP_PIT2:
	case KVM_CAP_PIT_STATE2:
	case KVM_CAP_USER_NMI:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_GET_TSC_KHZ:
	case KVM_CAP_CHECK_EXTENSION_VM:
	case KVM_CAP_COALESCED_PIO:
	case KVM_CAP_IOEVENTFD:
	case KVM_CAP_IRQFD:
	case KVM_CAP_IRQFD_RESAMPLE:
	case KVM_CAP_IOEVENTFD_ANY_LENGTH:
		return 1;
	case KVM_CAP_COALESCED_MMIO:
		return RING_MMAP_PAGE;
	case KVM_CAP_IRQ_ROUTING:
		return 4096;
	case KVM_CAP_ADJUST_CLOCK:
		return KVM_CLOCK_TSC_STABLE;
	case KVM_CAP_NR_MEMSLOTS:
		return APUS_SLOTS;
	case KVM_CAP_NR_VCPUS:
		return clamp_t(int, num_online_cpus() - 1, 1, APUS_VCPUS);
	case KVM_CAP_MAX_VCPUS:
	case KVM_CAP_MAX_VCPU_ID:
		return APUS_VCPUS;
	default:
		return 0;
	}
}
