/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What driver, monitor and client share: memory layout, mailboxes, states and
 * request numbers. Nothing else is known on both sides. Every structure here
 * lives in pages that the driver allocates; each field says who may write it.
 *
 *   D  the driver, on a CPU that Linux kept
 *   M  the monitor, on a lent CPU
 */
#ifndef APUS_H
#define APUS_H

#ifdef __KERNEL__
#include <linux/ioctl.h>
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

#define APUS_ABI_VERSION 2u
#define APUS_IMAGE_MAGIC 0x53555041u /* "APUS" */
#define APUS_PAGE_SIZE 4096u

/*
 * ---- The monitor's address space -------------------------------------------
 *
 * One per lent CPU, built by the driver from five pages (PML4, PDPT, PD and two
 * page tables). It maps the image at the address it was linked for and a window
 * of 512 pages, and nothing else. The window's own page table is its first
 * page, so the monitor maps what it is told about by itself.
 */
#define APUS_IMAGE_BASE 0x100000u /* virtual; at most 1 MiB, to APUS_WINDOW_BASE */
#define APUS_WINDOW_BASE 0x200000u
#define APUS_WINDOW_PAGES 512u

/* Page numbers inside the window. */
#define APUS_WINDOW_TABLE 0u /* D maps: the window's own page table */
#define APUS_WINDOW_CPU 16u  /* D maps: the CPU area */
#define APUS_WINDOW_VCPU 32u /* M maps on APUS_CPU_BIND: the vCPU area */
#define APUS_WINDOW_VM 64u   /* M maps on APUS_CPU_BIND: the VM area */
#define APUS_WINDOW_TRACE 96u /* M maps while there is one: struct apus_trace */
#define APUS_WINDOW_FREE 128u /* M maps: guest memory and nested tables, in passing */

/* Areas are physically contiguous and naturally aligned (alloc_pages order). */
#define APUS_CPU_ORDER 4u
#define APUS_VCPU_ORDER 5u
#define APUS_VM_ORDER 5u
#define APUS_CPU_PAGES (1u << APUS_CPU_ORDER)
#define APUS_VCPU_PAGES (1u << APUS_VCPU_ORDER)
#define APUS_VM_PAGES (1u << APUS_VM_ORDER)

/* Pages inside the CPU area. */
#define APUS_CPU_PAGE_CONTROL 0u   /* struct apus_cpu */
#define APUS_CPU_PAGE_TABLES 1u    /* GDT, TSS, IDT */
#define APUS_CPU_PAGE_HOST 2u      /* SVM host save area, VMXON region */
#define APUS_CPU_PAGE_NMI_STACK 3u
#define APUS_CPU_PAGE_FAULT_STACK 4u
#define APUS_CPU_PAGE_PRIVATE 5u   /* two pages of the monitor's own */
#define APUS_CPU_PAGE_GUARD 7u     /* D leaves it unmapped: below the stack */
#define APUS_CPU_PAGE_STACK 8u     /* to the end of the area, grows down */

/* Pages inside the vCPU area. The first two are what KVM_RUN's client maps, before the ring. */
#define APUS_VCPU_PAGE_RUN 0u      /* struct kvm_run */
#define APUS_VCPU_PAGE_PIO 1u      /* data of KVM_EXIT_IO */
#define APUS_VCPU_PAGE_CONTROL 2u  /* struct apus_vcpu */
#define APUS_VCPU_PAGE_PAYLOAD 4u  /* four pages: the argument of a forwarded ioctl */
#define APUS_VCPU_PAYLOAD_SIZE (4u * APUS_PAGE_SIZE)
#define APUS_VCPU_PAGE_VMCB 8u     /* VMCB or VMCS */
#define APUS_VCPU_PAGE_MSR_BITMAP 9u /* two pages */
#define APUS_VCPU_PAGE_XSAVE 11u   /* three pages */
#define APUS_VCPU_PAGE_PRIVATE 14u /* the monitor's own, to the end */
#define APUS_VCPU_MMAP_PAGES 3u    /* KVM_GET_VCPU_MMAP_SIZE: these two, and the ring of the VM */

/* Pages inside the VM area. */
#define APUS_VM_PAGE_CONTROL 0u    /* struct apus_vm, two pages */
#define APUS_VM_PAGE_IO_BITMAP 2u  /* three pages */
#define APUS_VM_PAGE_NESTED_ROOT 5u /* the top table */
#define APUS_VM_PAGE_PRIVATE 6u    /* the monitor's own, up to the next */
#define APUS_VM_PAGE_NOTIFICATIONS 11u /* two tables of struct apus_notification */
#define APUS_VM_PAGE_RING 15u      /* struct kvm_coalesced_mmio_ring: writable for the client */
#define APUS_VM_PAGE_SLOTS 16u     /* D: struct apus_slot[2][APUS_SLOTS] */
#define APUS_VM_PAGE_MAPPED 28u    /* the monitor's own, to the end: what it has mapped of each slot */

/*
 * ---- The image ---------------------------------------------------------------
 * The first bytes of the image's first PT_LOAD segment. Addresses are virtual.
 */
struct apus_image_header {
	uint32_t magic;
	uint32_t abi_version;
	uint64_t trampoline;      /* start of the code copied below 1 MiB */
	uint64_t trampoline_size; /* bytes, at most APUS_TRAMPOLINE_ARGUMENTS */
	uint64_t cpuid_rules;     /* struct apus_cpuid_rule[] */
	uint64_t cpuid_rule_count;
	uint64_t msrs;            /* uint32_t[]: KVM_GET_MSR_INDEX_LIST */
	uint64_t msr_count;
	uint64_t feature_msrs;    /* struct apus_feature_msr[]: KVM_GET_MSR_FEATURE_INDEX_LIST */
	uint64_t feature_msr_count;
	uint64_t machine_check_capability; /* KVM_X86_GET_MCE_CAP_SUPPORTED */
};

/*
 * KVM_GET_SUPPORTED_CPUID: for each rule, CPUID(function, index) of the host CPU,
 * ANDed with mask and then ORed with set, in the order EAX EBX ECX EDX. A rule for
 * a function above the host's highest one of its range (0, 0x80000000) is left out;
 * functions from 0x40000000 to 0x4fffffff are never asked of the host (read as 0).
 */
struct apus_cpuid_rule {
	uint32_t function;
	uint32_t index;
	uint32_t flags; /* KVM_CPUID_FLAG_SIGNIFCANT_INDEX or 0 */
	uint32_t mask[4];
	uint32_t set[4];
};

/*
 * An MSR that describes the processor: the host CPU's, ANDed with mask and then ORed with set.
 * With a mask of 0 the host is not asked.
 */
struct apus_feature_msr {
	uint32_t index;
	uint32_t reserved;
	uint64_t mask;
	uint64_t set;
};

/*
 * The trampoline: position-independent real-mode code, copied to the start of a
 * borrowed page below 1 MiB, entered by SIPI with CS = page >> 4. Its arguments lie
 * in the same page at APUS_TRAMPOLINE_ARGUMENTS. That page must be mapped at its own
 * address in the monitor's address space until the CPU is APUS_CPU_ARRIVED.
 */
#define APUS_TRAMPOLINE_ARGUMENTS 0xf00u
struct apus_trampoline_arguments {
	uint64_t page_table; /* physical address of the PML4, below 4 GiB */
	uint64_t stack;      /* virtual: the end of the CPU area */
	uint64_t entry;      /* virtual: the ELF entry point */
};

/*
 * ---- A lent CPU --------------------------------------------------------------
 */
enum apus_cpu_state { /* M, but OFF: D before INIT + SIPI */
	APUS_CPU_OFF = 0,
	APUS_CPU_ARRIVED = 1,  /* on the monitor's tables; the borrowed page is free again */
	APUS_CPU_READY = 2,    /* takes commands */
	APUS_CPU_PARKED = 3,   /* virtualisation off, APIC drained and restored: INIT it */
	APUS_CPU_UNFIT = 4,    /* refused to start: see reason */
	APUS_CPU_STOPPED = 5,  /* a fault of the monitor itself: see fault */
};

/* Why a CPU is APUS_CPU_UNFIT. */
#define APUS_UNFITS(UNFIT)                                                              \
	UNFIT(APUS_UNFIT_ABI, 1, "driver and monitor are of different versions")        \
	UNFIT(APUS_UNFIT_NO_VIRTUALISATION, 2, "it has neither VT-x nor SVM")           \
	/* VM_CR.SVMDIS, IA32_FEATURE_CONTROL */                                        \
	UNFIT(APUS_UNFIT_FIRMWARE, 3, "virtualisation is switched off by firmware")     \
	UNFIT(APUS_UNFIT_NO_NESTED_PAGING, 4, "it has no nested paging")                \
	UNFIT(APUS_UNFIT_NO_X2APIC, 5, "it has no x2APIC")                              \
	/* detail names it: enum apus_control */                                        \
	UNFIT(APUS_UNFIT_CONTROL, 6, "it lacks what Apus needs")

#define APUS_ENUMERATOR(name, number, words) name = number,
#define APUS_CASE_WORDS(name, number, words) case number: return words;

enum apus_unfit { APUS_UNFIT_NONE = 0, APUS_UNFITS(APUS_ENUMERATOR) };

/* In words; "?" for a number that has none. */
static inline const char *apus_unfit_words(uint32_t reason)
{
	switch (reason) {
	APUS_UNFITS(APUS_CASE_WORDS)
	default: return "?";
	}
}

/*
 * What APUS_UNFIT_CONTROL's detail names: a word of VT-x's controls or capabilities, and a bit
 * of it (SDM vol. 3, appendix A). The processor has it not, or cannot do without it.
 */
#define APUS_CONTROLS(CONTROL)                                                          \
	CONTROL(APUS_CONTROL_XSAVE, 0x01a, "XSAVE")                                      \
	CONTROL(APUS_CONTROL_INTERRUPT_EXITING, 0x100, "interrupts with and without exits") \
	CONTROL(APUS_CONTROL_NMI_EXITING, 0x103, "NMI exiting")                          \
	CONTROL(APUS_CONTROL_VIRTUAL_NMIS, 0x105, "virtual NMIs")                        \
	CONTROL(APUS_CONTROL_INTERRUPT_WINDOW, 0x202, "interrupt-window exiting")        \
	CONTROL(APUS_CONTROL_TSC_OFFSETTING, 0x203, "a TSC with and without offset")     \
	CONTROL(APUS_CONTROL_HLT_EXITING, 0x207, "HLT exiting on and off")               \
	CONTROL(APUS_CONTROL_INVLPG_EXITING, 0x209, "INVLPG without exits")              \
	CONTROL(APUS_CONTROL_MWAIT_EXITING, 0x20a, "MWAIT exiting")                      \
	CONTROL(APUS_CONTROL_RDPMC_EXITING, 0x20b, "RDPMC without exits")                \
	CONTROL(APUS_CONTROL_RDTSC_EXITING, 0x20c, "RDTSC without exits")                \
	CONTROL(APUS_CONTROL_CR3_LOAD_EXITING, 0x20f, "CR3 loads without exits")         \
	CONTROL(APUS_CONTROL_CR3_STORE_EXITING, 0x210, "CR3 stores without exits")       \
	CONTROL(APUS_CONTROL_CR8_LOAD_EXITING, 0x213, "CR8 loads without exits")         \
	CONTROL(APUS_CONTROL_CR8_STORE_EXITING, 0x214, "CR8 stores without exits")       \
	CONTROL(APUS_CONTROL_TPR_SHADOW, 0x215, "the real task priority, and a shadow of it") \
	CONTROL(APUS_CONTROL_NMI_WINDOW, 0x216, "NMI-window exiting")                    \
	CONTROL(APUS_CONTROL_DEBUG_REGISTER_EXITING, 0x217, "debug registers without exits") \
	CONTROL(APUS_CONTROL_IO_BITMAPS, 0x219, "I/O bitmaps")                           \
	CONTROL(APUS_CONTROL_MONITOR_TRAP_FLAG, 0x21b, "no monitor trap flag")           \
	CONTROL(APUS_CONTROL_MSR_BITMAPS, 0x21c, "MSR bitmaps")                          \
	CONTROL(APUS_CONTROL_MONITOR_EXITING, 0x21d, "MONITOR exiting")                  \
	CONTROL(APUS_CONTROL_PAUSE_EXITING, 0x21e, "PAUSE without exits")                \
	CONTROL(APUS_CONTROL_SECONDARY, 0x21f, "secondary controls")                     \
	CONTROL(APUS_CONTROL_EPT, 0x301, "extended page tables")                         \
	CONTROL(APUS_CONTROL_DESCRIPTOR_TABLES, 0x302, "descriptor tables without exits") \
	CONTROL(APUS_CONTROL_VIRTUAL_X2APIC, 0x304, "the real x2APIC")                   \
	CONTROL(APUS_CONTROL_VPID, 0x305, "virtual-processor identifiers")               \
	CONTROL(APUS_CONTROL_WBINVD_EXITING, 0x306, "WBINVD exiting")                    \
	CONTROL(APUS_CONTROL_UNRESTRICTED_GUEST, 0x307, "unrestricted guest")            \
	CONTROL(APUS_CONTROL_PAUSE_LOOP_EXITING, 0x30a, "PAUSE loops without exits")     \
	CONTROL(APUS_CONTROL_RDRAND_EXITING, 0x30b, "RDRAND without exits")              \
	CONTROL(APUS_CONTROL_RDSEED_EXITING, 0x310, "RDSEED without exits")              \
	CONTROL(APUS_CONTROL_XSAVES, 0x314, "XSAVES switched off")                       \
	CONTROL(APUS_CONTROL_SAVE_DEBUG, 0x402, "saving debug controls")                 \
	CONTROL(APUS_CONTROL_HOST_LONG, 0x409, "a 64-bit host")                          \
	CONTROL(APUS_CONTROL_SAVE_PAT, 0x412, "saving IA32_PAT")                         \
	CONTROL(APUS_CONTROL_HOST_PAT, 0x413, "loading the host's IA32_PAT")             \
	CONTROL(APUS_CONTROL_SAVE_EFER, 0x414, "saving IA32_EFER")                       \
	CONTROL(APUS_CONTROL_HOST_EFER, 0x415, "loading the host's IA32_EFER")           \
	CONTROL(APUS_CONTROL_LOAD_DEBUG, 0x502, "loading debug controls")                \
	CONTROL(APUS_CONTROL_GUEST_LONG, 0x509, "a guest in and out of long mode")       \
	CONTROL(APUS_CONTROL_LOAD_PAT, 0x50e, "loading IA32_PAT")                        \
	CONTROL(APUS_CONTROL_LOAD_EFER, 0x50f, "loading IA32_EFER")                      \
	CONTROL(APUS_CONTROL_EPT_FOUR_LEVELS, 0x606, "EPT with four levels")             \
	CONTROL(APUS_CONTROL_EPT_WRITE_BACK, 0x60e, "EPT in write-back memory")          \
	CONTROL(APUS_CONTROL_EPT_LARGE_PAGES, 0x610, "EPT pages of 2 MiB")               \
	CONTROL(APUS_CONTROL_INVEPT, 0x614, "INVEPT")                                    \
	CONTROL(APUS_CONTROL_INVEPT_EXTENT, 0x61a, "INVEPT of all contexts")             \
	CONTROL(APUS_CONTROL_STRING_INFORMATION, 0x736, "information about INS and OUTS") \
	CONTROL(APUS_CONTROL_STORE_LMA, 0x805, "exits that store EFER.LMA")

enum apus_control { APUS_CONTROL_NONE = 0, APUS_CONTROLS(APUS_ENUMERATOR) };

/* In words; "?" for a number that has none. */
static inline const char *apus_control_words(uint64_t control)
{
	switch (control) {
	APUS_CONTROLS(APUS_CASE_WORDS)
	default: return "?";
	}
}

enum apus_vendor { APUS_VENDOR_NONE = 0, APUS_VENDOR_SVM = 1, APUS_VENDOR_VMX = 2 };

enum apus_command {
	APUS_COMMAND_NONE = 0,
	APUS_COMMAND_BIND = 1,   /* argument[0], [1]: physical addresses of vCPU and VM area */
	APUS_COMMAND_UNBIND = 2, /* the vCPU's state is complete in its area; the CPU's APIC is drained */
	APUS_COMMAND_VCPU = 3,   /* argument[0]: a KVM vCPU ioctl; payload in the vCPU area */
	APUS_COMMAND_RUN = 4,    /* KVM_RUN; argument[0]: enum apus_page_answer. 0, APUS_RUN_PAGE or -errno */
	APUS_COMMAND_PARK = 5,   /* leave for good: the CPU becomes APUS_CPU_PARKED */
	APUS_COMMAND_VM = 6,     /* argument[0]: a KVM VM ioctl that the monitor serves; payload as above */
};

/* What the monitor was doing when it broke (APUS_CPU_STOPPED). */
struct apus_fault {
	uint64_t vector, error, rip, rsp, cr2, rflags;
};
/* `vector`, and all else 0: it had to wait for a CPU of the same VM that had broken. */
#define APUS_FAULT_LOCK 256u

/*
 * The mailbox: D writes command and argument, then increments `command_sequence`
 * with release, then, after a full barrier, sends an NMI unless `awake` is 1. M sets
 * `awake` to 0 and, after a full barrier, looks once more before it sleeps. M does the
 * work, writes result, then sets `done_sequence` to `command_sequence` with release, then,
 * after a full barrier, rings the doorbell unless `watching` is 1; D sets that to 0 and,
 * after a full barrier, looks once more before it waits. One command is outstanding at a
 * time. `result` is 0, a positive value, or -errno.
 */
struct apus_cpu {
	/* D, before the CPU starts */
	uint32_t abi_version;
	uint32_t cpu;              /* Linux's number */
	uint32_t apic_id;          /* physical */
	uint32_t tsc_khz;
	uint64_t area;             /* physical address of the CPU area */
	/* D, at any time: what to write to the x2APIC ICR to reach the driver; 0: nothing */
	uint64_t doorbell;
	/* D */
	uint32_t proceed;          /* 1 after APUS_CPU_ARRIVED: the borrowed page is unmapped */
	uint32_t command_sequence;
	uint32_t command;          /* enum apus_command */
	/* M: 1 while it looks at command_sequence without being told */
	uint32_t awake;
	uint64_t argument[4];
	uint32_t watching;         /* 1 while it looks at done_sequence without being told */
	uint32_t attention_us;     /* how long M looks for a command before it sleeps */
	/* M */
	uint32_t state;            /* enum apus_cpu_state */
	uint32_t reason;           /* enum apus_unfit */
	uint64_t detail;
	uint32_t done_sequence;
	uint32_t vendor;           /* enum apus_vendor */
	int64_t result;
	uint64_t nmis;             /* NMIs taken in root mode */
	uint64_t machine_checks;
	struct apus_fault fault;
	/* D, before the CPU starts: the value of performance_msr that asks for performance */
	uint64_t performance;
	uint64_t taken[4];         /* M: vectors of interrupts that it took in root mode, a bit each */
	uint32_t performance_msr;  /* D, before the CPU starts: 0: none is known */
};

/*
 * ---- A vCPU --------------------------------------------------------------------
 */
enum apus_request { /* D sets a bit (atomic OR), then sends an NMI; M clears before it acts */
	APUS_REQUEST_EXIT = 1u << 0,   /* KVM_RUN returns -EINTR */
	APUS_REQUEST_MEMORY = 1u << 1, /* the slots changed */
	APUS_REQUEST_LINES = 1u << 2,  /* an interrupt line changed that is not delivered directly */
	APUS_REQUEST_NMI = 1u << 3,    /* KVM_NMI */
	APUS_REQUEST_CLOCK = 1u << 4,  /* clock_tsc changed */
	APUS_REQUEST_SECOND_NMI = 1u << 5, /* another one before the first was taken */
	APUS_REQUEST_LEVELS = 1u << 6, /* `level_vectors` has some */
	APUS_REQUEST_TRACE = 1u << 7,  /* `trace` or `traces` changed */
};

/*
 * Exits by cause: an index of `exits`, and the name that reports have for it. The same list on
 * both vendors.
 */
#define APUS_EXITS(EXIT)                                                \
	/* a kick */                                                    \
	EXIT(APUS_EXIT_NMI, 0, "nmi")                                   \
	EXIT(APUS_EXIT_EXCEPTION, 1, "exception")                       \
	EXIT(APUS_EXIT_CPUID, 2, "cpuid")                               \
	EXIT(APUS_EXIT_HLT, 3, "hlt")                                   \
	/* served by the monitor: PIC, PIT */                           \
	EXIT(APUS_EXIT_IO, 4, "io")                                     \
	/* KVM_EXIT_IO */                                               \
	EXIT(APUS_EXIT_IO_CLIENT, 5, "io-client")                       \
	/* served by the monitor: IOAPIC, xAPIC page */                 \
	EXIT(APUS_EXIT_MMIO, 6, "mmio")                                 \
	/* KVM_EXIT_MMIO */                                             \
	EXIT(APUS_EXIT_MMIO_CLIENT, 7, "mmio-client")                   \
	EXIT(APUS_EXIT_MSR_READ, 8, "msr-read")                         \
	EXIT(APUS_EXIT_MSR_WRITE, 9, "msr-write")                       \
	EXIT(APUS_EXIT_APIC_ICR, 10, "apic-icr")                        \
	/* only while a level-triggered line is in service */           \
	EXIT(APUS_EXIT_APIC_EOI, 11, "apic-eoi")                        \
	/* LVTT; TMICT, TMCCT, TDCR only when emulated */               \
	EXIT(APUS_EXIT_APIC_TIMER, 12, "apic-timer")                    \
	EXIT(APUS_EXIT_APIC_OTHER, 13, "apic-other")                    \
	EXIT(APUS_EXIT_CONTROL_REGISTER, 14, "control-register")        \
	EXIT(APUS_EXIT_INTERRUPT_WINDOW, 15, "interrupt-window")        \
	EXIT(APUS_EXIT_HYPERCALL, 16, "hypercall")                      \
	/* neither a slot nor MMIO: memory being mapped */              \
	EXIT(APUS_EXIT_NESTED_FAULT, 17, "nested-fault")                \
	/* triple fault */                                              \
	EXIT(APUS_EXIT_SHUTDOWN, 18, "shutdown")                        \
	/* the processor refused the entry */                           \
	EXIT(APUS_EXIT_INVALID_STATE, 19, "invalid-state")              \
	/* a VMX or SVM instruction of the guest */                     \
	EXIT(APUS_EXIT_VIRTUALISATION, 20, "virtualisation")            \
	EXIT(APUS_EXIT_PREEMPTION_TIMER, 21, "preemption-timer")        \
	EXIT(APUS_EXIT_XSETBV, 22, "xsetbv")                            \
	/* only where interrupts are intercepted */                     \
	EXIT(APUS_EXIT_INTERRUPT, 23, "interrupt")                      \
	EXIT(APUS_EXIT_OTHER, 24, "other")                              \
	/* a write that waits for the client in its ring */             \
	EXIT(APUS_EXIT_COALESCED, 25, "coalesced")                      \
	/* a write that signals an eventfd */                           \
	EXIT(APUS_EXIT_NOTIFICATION, 26, "notification")                \
	/* Of a guest that a debugger in the client watches. */         \
	EXIT(APUS_EXIT_DEBUG, 27, "debug")                              \
	/* the first access to a page of an APUS_SLOT_PAGES slot */     \
	EXIT(APUS_EXIT_PAGE, 28, "page")

#define APUS_ONE(name, number, words) +1
enum apus_exit { APUS_EXITS(APUS_ENUMERATOR) APUS_EXIT_COUNT = APUS_EXITS(APUS_ONE) };
#undef APUS_ONE

/* The name; "?" for a number that has none. */
static inline const char *apus_exit_name(uint32_t cause)
{
	switch (cause) {
	APUS_EXITS(APUS_CASE_WORDS)
	default: return "?";
	}
}

/*
 * How an interrupt of a passed-through device reaches its guest: by itself, or forwarded by Linux for
 * one of the other reasons. The guest exits in neither case.
 */
#define APUS_DELIVERIES(DELIVERY)                                                       \
	DELIVERY(APUS_DELIVERY_DIRECT, 0, "direct")                                     \
	/* of the guest */                                                              \
	DELIVERY(APUS_DELIVERY_NO_MESSAGE, 1, "the guest has given it no message")      \
	DELIVERY(APUS_DELIVERY_NO_TARGET, 2, "its message names no vCPU")               \
	DELIVERY(APUS_DELIVERY_SEVERAL_TARGETS, 3, "its message names several vCPUs")   \
	DELIVERY(APUS_DELIVERY_NOT_FIXED, 4, "its message is no fixed, edge-triggered vector") \
	DELIVERY(APUS_DELIVERY_NO_CPU, 5, "its vCPU has no CPU")                        \
	/* of the host */                                                               \
	DELIVERY(APUS_DELIVERY_UNMASKABLE, 6,                                           \
		 "an MSI that cannot be masked, without interrupt remapping")           \
	DELIVERY(APUS_DELIVERY_POSTED, 7, "the host posts its interrupts (intremap=posted_msi)") \
	DELIVERY(APUS_DELIVERY_UNNAMEABLE, 8,                                           \
		 "the host's APIC mode cannot name the CPU (x2apic_phys helps)")        \
	DELIVERY(APUS_DELIVERY_UNKNOWN, 9, "the host's interrupt controller is of a kind that Apus does not know") \
	DELIVERY(APUS_DELIVERY_REFUSED, 10, "the host's IOMMU refused the change")

#define APUS_ONE(name, number, words) +1
enum apus_delivery {
	APUS_DELIVERIES(APUS_ENUMERATOR) APUS_DELIVERY_COUNT = APUS_DELIVERIES(APUS_ONE)
};
#undef APUS_ONE

/* In words; "?" for a number that has none. */
static inline const char *apus_delivery_words(uint32_t delivery)
{
	switch (delivery) {
	APUS_DELIVERIES(APUS_CASE_WORDS)
	default: return "?";
	}
}

/* Who keeps a guest's local APIC timer, and what that costs. */
#define APUS_TIMER_MODES(MODE)                                                          \
	/* the lent CPU's own, but in xAPIC mode, where each access to a register exits */ \
	MODE(APUS_TIMER_EMULATED, 0, "emulated")                                        \
	/* the lent CPU's own: no exit for anything */                                  \
	MODE(APUS_TIMER_DIRECT, 1, "direct")                                            \
	/* the same with a TSC of the guest's own: IA32_TSC_DEADLINE exits */           \
	MODE(APUS_TIMER_CONVERTED, 2, "converted")                                      \
	/* the local APIC is emulated; the lent CPU's timer rings in root mode */       \
	MODE(APUS_TIMER_MONITOR, 3, "monitor")                                          \
	/* the same; the VMX-preemption timer ends the guest's run at the deadline */   \
	MODE(APUS_TIMER_PREEMPTION, 4, "preemption")

#define APUS_ONE(name, number, words) +1
enum apus_timer_mode { APUS_TIMER_MODES(APUS_ENUMERATOR) APUS_TIMER_MODE_COUNT = APUS_TIMER_MODES(APUS_ONE) };
#undef APUS_ONE

/* In words; "?" for a number that has none. */
static inline const char *apus_timer_mode_words(uint32_t mode)
{
	switch (mode) {
	APUS_TIMER_MODES(APUS_CASE_WORDS)
	default: return "?";
	}
}

#undef APUS_ENUMERATOR
#undef APUS_CASE_WORDS

enum apus_apic_mode { APUS_APIC_DISABLED = 0, APUS_APIC_XAPIC = 1, APUS_APIC_X2APIC = 2 };

/* KVM_APUS_GET_STATISTICS copies this. Counters only grow. */
struct apus_statistics {
	uint64_t exits[32];        /* by enum apus_exit */
	uint64_t entries;
	uint64_t run_cycles;       /* TSC ticks of KVM_RUN: the guest's time and its exits' */
	uint64_t interrupts_sent;  /* D: real interrupts sent to the guest for interrupt lines */
	uint64_t kicks;            /* D: NMIs sent */
	uint32_t timer_mode;       /* enum apus_timer_mode */
	uint32_t apic_mode;        /* enum apus_apic_mode: what the guest has chosen */
	uint32_t lent_cpu;         /* D: Linux's number */
	uint32_t reserved;
};

struct apus_last_exit { uint64_t code, rip, information; };

struct apus_vcpu {
	/* D, before the first BIND */
	uint64_t area;             /* physical */
	uint32_t id;               /* KVM_CREATE_VCPU's argument */
	uint32_t bootstrap;        /* 1: starts running, 0: waits for INIT and SIPI */
	/* D sets bits, M clears them */
	uint32_t requests;
	/* M */
	uint32_t slots_generation; /* of struct apus_vm that this vCPU's TLB agrees with */
	struct apus_statistics statistics;
	/* M: the newest exits, for the report of a guest that ended itself */
	uint64_t last_exit_count;
	struct apus_last_exit last_exits[16];
	/*
	 * With APUS_IRQCHIP_SPLIT, vectors of level-triggered messages: D sets bits, M takes them and
	 * has their EOI exit.
	 */
	uint64_t level_vectors[4];
	/* M, with APUS_RUN_PAGE: the guest-physical address that was accessed, and 1 if it was written */
	uint64_t page_address;
	uint32_t page_written;
	uint32_t revocations;      /* M: of struct apus_vm that this vCPU's TLB agrees with */
	/* D: physical address of the vCPU's trace; 0: it never had one */
	uint64_t trace;
	/* D: 1 while M is to write there */
	uint32_t traces;
	uint32_t reserved;
};

/* APUS_COMMAND_RUN's result: the guest accessed a page of an APUS_SLOT_PAGES slot that is not there. */
#define APUS_RUN_PAGE 1

/* What D says of that page when it runs the guest again. */
enum apus_page_answer {
	APUS_PAGE_RETRY = 0,  /* it may be there now; also where none was asked for */
	APUS_PAGE_CLIENT = 1, /* it is not to be had: the next access to it is the client's */
};

/*
 * The trace of a vCPU: KVM_APUS_TRACE. 2^APUS_TRACE_ORDER pages, the driver's as long as the vCPU; M
 * writes them only while `traces` is 1, and they stay as they are after the guest's end or a fault of the
 * monitor's. Event n of all lies at APUS_TRACE_FIRST + n % APUS_TRACE_EVENTS times its size. A reader takes
 * `count`, reads, and takes `count` again: events older than APUS_TRACE_EVENTS before that are overwritten.
 */
#define APUS_TRACE_ORDER 5u
#define APUS_TRACE_PAGES (1u << APUS_TRACE_ORDER)
#define APUS_TRACE_SIZE (APUS_TRACE_PAGES * APUS_PAGE_SIZE)
#define APUS_TRACE_FIRST 128u
#define APUS_TRACE_EVENTS 4092u /* as many as fit */
/* Where the vCPU's file descriptor has it, in pages: read-only. */
#define APUS_TRACE_MMAP_PAGE 16u

struct apus_trace {
	uint64_t count;    /* M: events that were written; after the event itself */
	uint32_t next;     /* M: bytes from the start of the trace to the next event */
	uint32_t tsc_khz;  /* D */
};

/* What an event is about, and what its other words say. */
#define APUS_TRACES(TRACE)                                                              \
	/* detail: the lent CPU */                                                      \
	TRACE(APUS_TRACE_BEGIN, 0, "begin")                                             \
	/* The guest is entered at `rip`. detail: the event that it gets, as VT-x's interruption information */ \
	/* (SDM vol. 3, 26.8.3); 0: none */                                             \
	TRACE(APUS_TRACE_ENTRY, 1, "entry")                                             \
	/* cause: enum apus_trace_exit. The guest was at `rip`. detail: below, by cause */ \
	TRACE(APUS_TRACE_EXIT, 2, "exit")                                               \
	/* A kick's reason. cause: the driver's, enum apus_request; detail: other vCPUs' */ \
	TRACE(APUS_TRACE_REQUEST, 3, "request")                                         \
	/* The monitor's timer. rip: the TSC at which it rings, 0: never; detail: its period in ticks, 0: once */ \
	TRACE(APUS_TRACE_TIMER, 4, "timer")                                             \
	/* cause: enum apus_apic_mode; detail: KVM_GET_MP_STATE's number */             \
	TRACE(APUS_TRACE_MODE, 5, "mode")                                               \
	/* KVM_RUN returns. cause: kvm_run's exit_reason */                             \
	TRACE(APUS_TRACE_CLIENT, 6, "client")                                           \
	/* KVM_RUN begins */                                                            \
	TRACE(APUS_TRACE_RUN, 7, "run")

/*
 * Why a guest exited, in an event. detail: the vector of an exception; the guest-physical address of a nested
 * fault; RCX of an MSR's; bits 16 to 31 port, 3 input of a port's; the vendor's exit code of the others.
 */
#define APUS_TRACE_EXITS(EXIT)                                                          \
	EXIT(APUS_TRACE_EXIT_NMI, 0, "nmi")                                             \
	EXIT(APUS_TRACE_EXIT_EXCEPTION, 1, "exception")                                 \
	EXIT(APUS_TRACE_EXIT_HLT, 2, "hlt")                                             \
	EXIT(APUS_TRACE_EXIT_NESTED_FAULT, 3, "nested-fault")                           \
	EXIT(APUS_TRACE_EXIT_INTERRUPT_WINDOW, 4, "interrupt-window")                   \
	EXIT(APUS_TRACE_EXIT_INVALID_STATE, 5, "invalid-state")                         \
	EXIT(APUS_TRACE_EXIT_OTHER, 6, "other")                                         \
	EXIT(APUS_TRACE_EXIT_CPUID, 7, "cpuid")                                         \
	EXIT(APUS_TRACE_EXIT_PORT, 8, "port")                                           \
	EXIT(APUS_TRACE_EXIT_MSR_READ, 9, "msr-read")                                   \
	EXIT(APUS_TRACE_EXIT_MSR_WRITE, 10, "msr-write")                                \
	EXIT(APUS_TRACE_EXIT_HYPERCALL, 11, "hypercall")                                \
	EXIT(APUS_TRACE_EXIT_SHUTDOWN, 12, "shutdown")                                  \
	EXIT(APUS_TRACE_EXIT_VIRTUALISATION, 13, "virtualisation")                      \
	EXIT(APUS_TRACE_EXIT_CACHE_CONTROL, 14, "cache-control")                        \
	EXIT(APUS_TRACE_EXIT_XSETBV, 15, "xsetbv")                                      \
	EXIT(APUS_TRACE_EXIT_CONTROL_REGISTER, 16, "control-register")                  \
	EXIT(APUS_TRACE_EXIT_DEBUG_REGISTER, 17, "debug-register")                      \
	EXIT(APUS_TRACE_EXIT_SOFTWARE_INTERRUPT, 18, "software-interrupt")              \
	EXIT(APUS_TRACE_EXIT_PREEMPTION_TIMER, 19, "preemption-timer")                  \
	EXIT(APUS_TRACE_EXIT_INTERRUPT, 20, "interrupt")

#define APUS_ENUMERATOR(name, number, words) name = number,
#define APUS_CASE_WORDS(name, number, words) case number: return words;
#define APUS_ONE(name, number, words) +1
enum apus_trace_kind {
	APUS_TRACES(APUS_ENUMERATOR) APUS_TRACE_COUNT = APUS_TRACES(APUS_ONE)
};
enum apus_trace_exit {
	APUS_TRACE_EXITS(APUS_ENUMERATOR) APUS_TRACE_EXIT_COUNT = APUS_TRACE_EXITS(APUS_ONE)
};

/* The name; "?" for a number that has none. */
static inline const char *apus_trace_name(uint32_t kind)
{
	switch (kind) {
	APUS_TRACES(APUS_CASE_WORDS)
	default: return "?";
	}
}

static inline const char *apus_trace_exit_name(uint32_t cause)
{
	switch (cause) {
	APUS_TRACE_EXITS(APUS_CASE_WORDS)
	default: return "?";
	}
}
#undef APUS_ENUMERATOR
#undef APUS_CASE_WORDS
#undef APUS_ONE

struct apus_trace_event { /* M */
	uint64_t tsc;
	uint32_t kind;  /* enum apus_trace_kind */
	uint32_t cause;
	uint64_t rip;
	uint64_t detail;
};

/*
 * ---- A VM ------------------------------------------------------------------------
 */
#define APUS_SLOTS 512u
#define APUS_VCPUS 64u
#define APUS_LINES 24u /* pins of the IOAPIC; 0 to 15 are also the PICs' */
#define APUS_NO_APIC_ID 0xffffffffu
#define APUS_NO_PIN 0xffu
#define APUS_ZONES 16u
#define APUS_MACHINE_CHECK_BANKS 32u /* at most: IA32_MCG_CAP says how many */

#define APUS_SLOT_READONLY 1u
#define APUS_SLOT_PAGES 2u  /* `pages` is a directory of page entries, not of extents */
#define APUS_SLOT_DEVICE 4u /* a device's registers: uncached, and never touched by M itself */

/*
 * Pages by index, linked by physical address: page n is pages[n % APUS_DIRECTORY_PAGES] of the
 * (n / APUS_DIRECTORY_PAGES)th link.
 */
#define APUS_DIRECTORY_PAGES 511u
struct apus_directory {
	uint64_t next; /* physical, 0 at the end */
	uint64_t pages[APUS_DIRECTORY_PAGES]; /* physical */
};

/*
 * Of an APUS_SLOT_PAGES slot: pages of APUS_PAGE_ENTRIES entries, one for each page of the slot in
 * the order of guest addresses. D writes an entry when M has asked for that page, and clears it before it
 * increments `revocations`. M maps what it finds here at the guest's access, with the VM's lock held.
 */
#define APUS_PAGE_ENTRIES 512u
#define APUS_PAGE_PRESENT 1ull
#define APUS_PAGE_WRITABLE 2ull
#define APUS_REVOKED 32u

/*
 * A page of extents, linked by physical address. Pages of a slot appear in the
 * order of their guest addresses; `count` entries are used.
 */
struct apus_extent { uint64_t guest_frame, frame, count; };
#define APUS_EXTENTS 170u
struct apus_extent_page {
	uint64_t next; /* physical, 0 at the end */
	uint64_t count;
	struct apus_extent extents[APUS_EXTENTS];
};

struct apus_slot { /* D */
	uint64_t guest_address; /* bytes; page aligned */
	uint64_t size;          /* bytes; 0: the slot is free */
	uint64_t pages;         /* physical address of the first struct apus_extent_page or apus_directory */
	uint64_t log;           /* physical address of the first struct apus_directory; 0: no log */
	uint32_t flags;
	uint32_t generation;    /* slots_generation at which this slot was written */
	uint32_t log_sequence;  /* increases with each change of `log` */
	uint32_t reserved;
};

/*
 * KVM_MEM_LOG_DIRTY_PAGES: a bit for each page of the slot, which M sets before the guest's or its own
 * first write. When the sequence changes, M makes all pages read-only once more and goes on in the
 * log that is named then; after each vCPU has acknowledged, the old one belongs to D again.
 */
#define APUS_LOG_PAGE_BITS (8u * APUS_PAGE_SIZE)

/*
 * How an interrupt line reaches the guest at the moment (M). With DIRECT the driver
 * answers a rising edge with an interrupt of that vector to that physical APIC ID, and
 * a falling edge with nothing; with MASKED it records the edge in line_edges; otherwise
 * it records rising edges and asks with APUS_REQUEST_LINES on either edge.
 */
#define APUS_ROUTE_DIRECT (1ull << 63)
#define APUS_ROUTE_MASKED (1ull << 62)
#define APUS_ROUTE_APIC_ID(route) ((uint32_t)((route) >> 8) & 0xffffffffu)
#define APUS_ROUTE_VECTOR(route) ((uint8_t)(route))

/*
 * The PIT's channel 0 on processors whose monitor has no timer of its own: M writes
 * period or deadline, then increments `sequence` with release and rings the doorbell;
 * D arms an hrtimer whose expiry is a rising and a falling edge of `line`.
 */
struct apus_timer {
	uint32_t sequence;     /* M */
	uint32_t line;         /* M */
	uint64_t deadline;     /* M: TSC of the first expiry; 0: stop */
	uint64_t period_ns;    /* M: 0: once */
};

/*
 * KVM_REGISTER_COALESCED_MMIO: ports or addresses of the client's devices to which a write does
 * not leave the guest, but waits in the ring until the client looks.
 */
struct apus_zone { /* D */
	uint64_t address;
	uint32_t size; /* bytes; 0: the zone is free */
	uint32_t pio;  /* 1: ports, 0: guest-physical addresses */
};

/*
 * KVM_IOEVENTFD: a write that does nothing but signal an eventfd. M sets the bit `number` of
 * `notified`, and rings the doorbell if the bit was clear; D clears the bit, then signals.
 */
#define APUS_NOTIFICATIONS 256u
#define APUS_NOTIFICATION_PAGES 2u /* of each of the two tables */
#define APUS_NOTIFICATION_PIO 1u   /* a port; otherwise a guest-physical address */
#define APUS_NOTIFICATION_DATA 2u  /* only writes of `data` */
struct apus_notification { /* D */
	uint64_t address;
	uint64_t data;
	uint16_t number;
	uint8_t size; /* bytes of the write; 0: any */
	uint8_t flags;
	uint32_t reserved;
};

/*
 * KVM_X86_SET_MSR_FILTER: which MSRs the guest may read and write. The first range that has the MSR and this
 * kind of access (KVM_MSR_FILTER_READ, _WRITE) decides by its bitmap; where none does, `denies_others`.
 * Ranges and bitmaps lie in physically contiguous pages, of which the first begins with this structure.
 */
#define APUS_MSR_RANGES 16u
struct apus_msr_range { /* D */
	uint32_t first;
	uint32_t count;
	uint32_t accesses;
	uint32_t bitmap; /* bytes from the structure to the bitmap: bit n is 1 if `first` + n is allowed */
};
struct apus_msr_filter { /* D */
	uint32_t denies_others;
	uint32_t count; /* of ranges */
	struct apus_msr_range ranges[APUS_MSR_RANGES];
};

/* What the client switched on with KVM_ENABLE_CAP. */
#define APUS_ENABLED_PAYLOAD 1u          /* KVM_CAP_EXCEPTION_PAYLOAD */
#define APUS_ENABLED_TRIPLE_FAULT 2u     /* KVM_CAP_X86_TRIPLE_FAULT_EVENT */
#define APUS_ENABLED_NO_PLATFORM_INFO 4u /* KVM_CAP_MSR_PLATFORM_INFO: 0 */

#define APUS_IRQCHIP_NONE 0u  /* the client has interrupt controllers of its own, and sees HLT */
#define APUS_IRQCHIP_FULL 1u  /* after KVM_CREATE_IRQCHIP */
#define APUS_IRQCHIP_SPLIT 2u /* KVM_CAP_SPLIT_IRQCHIP: PICs and I/O APIC are the client's */

struct apus_vm {
	/* D, before the first BIND */
	uint64_t area;             /* physical */
	uint32_t tsc_khz;
	uint32_t vcpu_count;
	uint64_t clock_tsc;        /* TSC at which kvmclock reads 0 */
	uint64_t wall_seconds;     /* CLOCK_REALTIME at that moment */
	uint32_t wall_nanoseconds;
	uint32_t irqchip;          /* APUS_IRQCHIP_* */
	uint32_t pit;              /* 1 after KVM_CREATE_PIT2 */
	uint32_t disabled_quirks;  /* KVM_X86_QUIRK_*: KVM_CAP_DISABLE_QUIRKS2 */
	uint32_t enabled;          /* APUS_ENABLED_* */
	uint32_t reserved;
	uint32_t apic_ids[APUS_VCPUS]; /* physical, by vCPU id; APUS_NO_APIC_ID: not bound */
	/* D: atomic */
	uint32_t line_levels;      /* bit n: line n is high, as `held_lines` also says */
	uint32_t line_edges;       /* bit n: line n rose; M exchanges it with 0 */
	/*
	 * D: KVM_SET_GSI_ROUTING's irqchip routes. Line n (GSI n) drives pin line_pins[n] of
	 * the IOAPIC (APUS_NO_PIN: none) and, where bit n of pic_lines is set, the PICs' input
	 * n. After KVM_CREATE_IRQCHIP: line n to pin n, lines 0 to 15 to the PICs.
	 */
	uint32_t pic_lines;
	uint8_t line_pins[APUS_LINES];
	/* M: atomic */
	uint64_t line_routes[APUS_LINES];
	struct apus_timer timer;
	/*
	 * D writes the idle one of the two tables in APUS_VM_PAGE_SLOTS, then increments slots_generation
	 * with release: table slots_generation & 1 is in force. A reader whose generation has
	 * moved meanwhile reads again. Before pages of a slot that went are freed, every
	 * vCPU has acknowledged in its slots_generation or is not running.
	 */
	uint32_t slots_generation;
	/*
	 * D: the newest generation that every vCPU has acknowledged, or will before it enters its guest. Nested
	 * tables that a slot left empty then may have another use.
	 */
	uint32_t slots_settled;
	/*
	 * Free pages for nested tables: physical address of the first, each page's first eight bytes name the
	 * next, 0 ends. D adds before it publishes a slot, as many as all slots in 4 KiB pages may need; M
	 * exchanges it with 0. They are the monitor's until the VM is gone.
	 */
	uint64_t free_tables;
	/* D: odd while zones change. A reader that sees that has an ordinary exit instead. */
	uint32_t zones_sequence;
	struct apus_zone zones[APUS_ZONES];
	/*
	 * As for slots: D writes the idle table, in the order of ports before memory and then of
	 * addresses, and increments the generation; then, after a full barrier, it takes what is
	 * set in `notified`. M reads the generation again after it has set a bit: if that has
	 * moved, the write is looked up once more.
	 */
	uint32_t notifications_generation;
	uint32_t notification_counts[2];
	/* atomic */
	uint32_t notified[APUS_NOTIFICATIONS / 32u];
	/*
	 * Lines that an irqfd with a resamplefd holds high: D sets a bit, M clears it at the EOI
	 * that ends the line's interrupt, sets it in `released_lines` and rings the doorbell; D
	 * clears it there, and the devices that still want the interrupt raise the line again.
	 */
	uint32_t held_lines;
	uint32_t released_lines;
	/* M: to which logical destinations the local APIC of each vCPU answers, APUS_APIC_... */
	uint32_t apic_addresses[APUS_VCPUS];
	/*
	 * D sets the first for good when an interrupt of a device depends on these addresses. M looks at it
	 * after it has changed one, sets the second and rings the doorbell; D clears that, then looks.
	 */
	uint32_t watches_apics;
	uint32_t apics_changed;
	/*
	 * D: physical address of the struct apus_msr_filter, 0: none. As with the tables of slots, the one at
	 * slots_generation & 1 is in force.
	 */
	uint64_t msr_filters[2];
	uint32_t msr_exits; /* D: KVM_MSR_EXIT_REASON_* for which an access exits to the client */
	/*
	 * D: entries of APUS_SLOT_PAGES slots were cleared so often; the nth time those of the guest's pages in
	 * revoked[n % APUS_REVOKED], which is written first. M unmaps these when it sees a new number, or all
	 * pages of such slots if the range may have been overwritten. Then D waits until each vCPU has
	 * acknowledged or is not running: from there on nobody reaches what stood in the entries.
	 */
	uint32_t revocations;
	struct apus_revoked { uint64_t first_frame, last_frame; } revoked[APUS_REVOKED];
};

#define APUS_APIC_LOGICAL_ID(address) ((uint8_t)(address)) /* in xAPIC mode */
#define APUS_APIC_IS_FLAT (1u << 8) /* in xAPIC mode; otherwise in clusters */
#define APUS_APIC_IS_X2APIC (1u << 9)
#define APUS_APIC_IS_OFF (1u << 10)

/*
 * ---- What is added to the KVM API -----------------------------------------------
 */
#define APUS_KVMIO 0xAE
/* KVM_CHECK_EXTENSION on /dev/apus: APUS_ABI_VERSION here, 0 on /dev/kvm. */
#define KVM_CAP_APUS 0x41505553

/*
 * KVM_ENABLE_CAP of a VM with KVM_CAP_APUS and this in args[0]: KVM_CREATE_VCPU takes no CPU of the pool,
 * KVM_SET_LENT_CPU names one. A vCPU for which none is named has one of the pool at its first call.
 */
#define APUS_CLIENT_NAMES_CPUS 1u
/* vCPU: which Linux CPU it runs on; before any other call. EBUSY: lent already, or the vCPU has another;
 * EINVAL: CPU 0 or the only one; ENODEV: no such CPU. */
#define KVM_SET_LENT_CPU _IO(APUS_KVMIO, 0xf0)
/* vCPU: the lent CPU's number. ENOENT: none yet. */
#define KVM_GET_LENT_CPU _IO(APUS_KVMIO, 0xf1)
/* vCPU: also while it runs, from another thread. */
#define KVM_APUS_GET_STATISTICS _IOR(APUS_KVMIO, 0xf2, struct apus_statistics)
/* vCPU: the newest exits, after the guest ended itself. */
struct apus_last_exits { uint64_t count; struct apus_last_exit exits[16]; };
#define KVM_APUS_GET_LAST_EXITS _IOR(APUS_KVMIO, 0xf3, struct apus_last_exits)

/*
 * VM: I/O ports of the machine itself, which the guest then reaches without an exit, and Linux
 * no longer. After the first vCPU; until the VM goes. EPERM without CAP_SYS_RAWIO; EBUSY: a
 * driver of Linux's uses them; EINVAL: ports that the monitor serves or that could reset the
 * machine or reconfigure its devices.
 */
struct apus_ports {
	uint16_t first;
	uint16_t count;
	uint32_t flags; /* 0 */
};
#define KVM_APUS_PASS_PORTS _IOW(APUS_KVMIO, 0xf4, struct apus_ports)

/*
 * vCPU: who keeps its local APIC timer, also while it runs, from another thread. All but DIRECT emulate the
 * whole local APIC: interrupts exit and are injected. A change back to DIRECT comes when the guest has
 * no interrupt in service. EINVAL: no such policy; ENXIO: no local APIC in the kernel; EOPNOTSUPP: the
 * processor has no VMX-preemption timer that can be relied on.
 */
enum apus_timer_policy {
	APUS_POLICY_DIRECT = 0,
	APUS_POLICY_MONITOR = 1,
	APUS_POLICY_PREEMPTION = 2,
};
struct apus_timer_choice {
	uint32_t policy;   /* enum apus_timer_policy */
	uint32_t reserved; /* 0 */
};
#define KVM_APUS_SET_TIMER _IOW(APUS_KVMIO, 0xf6, struct apus_timer_choice)

/*
 * vCPU, also while it runs, from another thread: 1 has the monitor write the vCPU's trace, 0 no longer; EINVAL:
 * another number; ENOMEM. From the first 1 on, the trace is mapped from the vCPU's file descriptor at
 * APUS_TRACE_MMAP_PAGE, APUS_TRACE_SIZE bytes, read-only and shared, until the descriptor is closed.
 */
#define KVM_APUS_TRACE _IO(APUS_KVMIO, 0xf5)

/* Device: what the driver found out about this machine, for `apus check`. */
enum apus_cpu_use { APUS_USE_LINUX = 0, APUS_USE_OFFLINE = 1, APUS_USE_LENT = 2 };
#define APUS_MAX_CPUS 256u
struct apus_host {
	uint32_t abi_version;
	uint32_t vendor;         /* enum apus_vendor, of the processor */
	uint32_t cpu_count;      /* possible CPUs, at most APUS_MAX_CPUS reported */
	uint32_t image_size;     /* bytes of the monitor's image in memory */
	uint32_t tsc_khz;
	uint32_t vm_count;
	uint32_t flags;          /* APUS_HOST_* */
	uint32_t reserved;
	uint8_t use[APUS_MAX_CPUS];  /* enum apus_cpu_use, by Linux's number */
	uint8_t marks[APUS_MAX_CPUS]; /* APUS_MARK_* */
};
#define APUS_MARK_POOL 1u      /* the administrator named it for clients that do not ask */
#define APUS_MARK_BOOTSTRAP 2u /* firmware starts on it when it is reset: it cannot be lent */
/* While it is lent it may take Linux's interrupts to another CPU, as Linux addresses them by logical
 * flat destinations: SDM vol. 3, 11.6.2.2 and 11.12.10.2. */
#define APUS_MARK_FLAT 4u
#define APUS_HOST_MONITOR_MISSING 1u  /* firmware file not found or malformed */
#define APUS_HOST_FIRMWARE_OFF 2u     /* virtualisation is switched off by firmware */
#define APUS_HOST_MONITOR_OTHER 4u    /* the firmware file is not the one that the driver was built with */
#define APUS_HOST_TSC_UNSTABLE 8u     /* Linux does not trust the TSC: clocks of guests may go backwards */
#define APUS_HOST_UNSUITABLE 16u      /* encrypted memory, SEV-SNP, TDX or Xen: no CPU can be lent */
#define APUS_GET_HOST _IOR(APUS_KVMIO, 0xf8, struct apus_host)

/*
 * Device: the interrupts of passed-through devices, those of the caller's guests or, with CAP_SYS_ADMIN,
 * of all, from number `first` on. With `count` at APUS_INTERRUPTS there may be more.
 */
struct apus_interrupt {
	int32_t process;    /* that made the VM */
	uint32_t host_irq;  /* Linux's number: /proc/interrupts */
	uint32_t gsi;       /* the VM's */
	uint32_t delivery;  /* enum apus_delivery */
	uint32_t vcpu;      /* these two where it is direct */
	uint32_t vector;
	uint64_t forwarded; /* times that Linux took it since the device has it */
	uint64_t changes;   /* of the way that it goes */
};
#define APUS_INTERRUPTS 64u
struct apus_interrupts {
	uint32_t first;
	uint32_t count;
	struct apus_interrupt interrupts[APUS_INTERRUPTS];
};
#define APUS_GET_INTERRUPTS _IOWR(APUS_KVMIO, 0xf9, struct apus_interrupts)

/*
 * Device, CAP_SYS_ADMIN: takes a lent CPU, by Linux's number, from the vCPU that has it, whatever its client
 * does. That vCPU ends (EIO) with its state lost. ENODEV: the CPU is not lent.
 */
#define APUS_RECLAIM_CPU _IO(APUS_KVMIO, 0xfa)

#endif
