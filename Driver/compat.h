/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between the kernels that the driver builds for, 6.1 and later. */
#ifndef APUS_COMPAT_H
#define APUS_COMPAT_H

#include <linux/cc_platform.h>
#include <linux/eventfd.h>
#include <linux/irqbypass.h>
#include <linux/mm.h>
#include <linux/version.h>

#include <asm/apic.h>
#include <asm/cpufeature.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void apus_vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
static inline void apus_vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#else
#define apus_vm_flags_set vm_flags_set
#define apus_vm_flags_clear vm_flags_clear
#endif

/* struct kvm_run.immediate_exit: its client may write to it at any time. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define immediate_exit_of(run) READ_ONCE((run)->immediate_exit__unsafe)
#else
#define immediate_exit_of(run) READ_ONCE((run)->immediate_exit)
#endif

/* Whether Linux addresses its CPUs by logical flat destinations, which it gave up in 6.15. */
static inline bool apus_is_logical_flat(void)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
	return !x2apic_enabled() && apic->dest_mode_logical;
#else
	return false;
#endif
}

static inline bool apus_is_snp_host(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	return cc_platform_has(CC_ATTR_HOST_SEV_SNP);
#else
	return false;
#endif
}

static inline bool apus_is_tdx_host(void)
{
#ifdef X86_FEATURE_TDX_HOST_PLATFORM
	return boot_cpu_has(X86_FEATURE_TDX_HOST_PLATFORM);
#else
	return false;
#endif
}

static inline void apus_eventfd_signal(struct eventfd_ctx *eventfd)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	eventfd_signal(eventfd, 1);
#else
	eventfd_signal(eventfd);
#endif
}

/* The frame that a VM_PFNMAP area has at an address at the moment. Under mmap_lock. */
static inline int apus_follow_pfn(struct vm_area_struct *area, unsigned long address,
				  unsigned long *frame, bool *writable)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	spinlock_t *lock;
	pte_t *entry;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	int error = follow_pte(area->vm_mm, address, &entry, &lock);
#else
	int error = follow_pte(area, address, &entry, &lock);
#endif

	if (error)
		return error;
	*frame = pte_pfn(*entry);
	*writable = pte_write(*entry);
	pte_unmap_unlock(entry, lock);
	return 0;
#else
	struct follow_pfnmap_args arguments = { .vma = area, .address = address };
	int error = follow_pfnmap_start(&arguments);

	if (error)
		return error;
	*frame = arguments.pfn;
	*writable = arguments.writable;
	follow_pfnmap_end(&arguments);
	return 0;
#endif
}

static inline int apus_bypass_register(struct irq_bypass_consumer *consumer,
				       struct eventfd_ctx *eventfd)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
	consumer->token = eventfd;
	return irq_bypass_register_consumer(consumer);
#else
	return irq_bypass_register_consumer(consumer, eventfd);
#endif
}

#endif
