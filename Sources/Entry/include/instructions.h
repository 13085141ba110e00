/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instructions that Swift has no word for, and the routines of this folder's
 * assembly. `swift_name` gives each its name in Swift.
 */
#ifndef APUS_INSTRUCTIONS_H
#define APUS_INSTRUCTIONS_H

#include <stdint.h>

#include "apus.h"

#define INSTRUCTION __attribute__((always_inline)) static inline
#define NAMED(name) __attribute__((swift_name(name)))

/* RDMSR and WRMSR. A fault here is the monitor's own mistake: it stops the CPU. */
NAMED("readMSR(_:)") INSTRUCTION uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (uint64_t)high << 32 | low;
}
NAMED("writeMSR(_:_:)") INSTRUCTION void msr_write(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

/* RDMSR and WRMSR that answer a #GP with 0 (safe_msr.S): 1 if the MSR exists. */
NAMED("tryReadMSR(_:_:)") int msr_try_read(uint32_t msr, uint64_t *value);
NAMED("tryWriteMSR(_:_:)") int msr_try_write(uint32_t msr, uint64_t value);

struct cpuid_registers { uint32_t eax, ebx, ecx, edx; };
NAMED("cpuid(_:_:)") INSTRUCTION struct cpuid_registers cpuid_read(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_registers r;
	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

NAMED("readTSC()") INSTRUCTION uint64_t tsc_read(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

#define CONTROL_REGISTER(number)                                                                   \
	NAMED("readCR" #number "()") INSTRUCTION uint64_t cr##number##_read(void)                      \
	{                                                                                              \
		uint64_t value;                                                                            \
		__asm__ volatile("mov %%cr" #number ", %0" : "=r"(value) : : "memory");                    \
		return value;                                                                              \
	}                                                                                              \
	NAMED("writeCR" #number "(_:)") INSTRUCTION void cr##number##_write(uint64_t value)            \
	{                                                                                              \
		__asm__ volatile("mov %0, %%cr" #number : : "r"(value) : "memory");                        \
	}
CONTROL_REGISTER(0)
CONTROL_REGISTER(2)
CONTROL_REGISTER(3)
CONTROL_REGISTER(4)
#undef CONTROL_REGISTER

#define DEBUG_REGISTER(number)                                                                     \
	NAMED("readDR" #number "()") INSTRUCTION uint64_t dr##number##_read(void)                      \
	{                                                                                              \
		uint64_t value;                                                                            \
		__asm__ volatile("mov %%dr" #number ", %0" : "=r"(value));                                 \
		return value;                                                                              \
	}                                                                                              \
	NAMED("writeDR" #number "(_:)") INSTRUCTION void dr##number##_write(uint64_t value)            \
	{                                                                                              \
		__asm__ volatile("mov %0, %%dr" #number : : "r"(value));                                   \
	}
DEBUG_REGISTER(0)
DEBUG_REGISTER(1)
DEBUG_REGISTER(2)
DEBUG_REGISTER(3)
DEBUG_REGISTER(6)
#undef DEBUG_REGISTER

NAMED("invalidatePage(_:)") INSTRUCTION void page_invalidate(uint64_t address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}
/* A WRMSR to the x2APIC does not wait for earlier stores (SDM vol. 3, 11.12.3). */
NAMED("orderStores()") INSTRUCTION void stores_order(void) { __asm__ volatile("mfence; lfence" : : : "memory"); }
NAMED("pause()") INSTRUCTION void processor_pause(void) { __asm__ volatile("pause"); }
NAMED("halt()") INSTRUCTION void processor_halt(void) { __asm__ volatile("cli; hlt"); }

/* XSETBV, XGETBV of XCR0; needs CR4.OSXSAVE. */
NAMED("writeXCR0(_:)") INSTRUCTION void xcr0_write(uint64_t value)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}
NAMED("readXCR0()") INSTRUCTION uint64_t xcr0_read(void)
{
	uint32_t low, high;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}
/* The guest's FPU and vector registers; the monitor itself uses none of them. */
NAMED("saveExtendedState(_:_:)") INSTRUCTION void extended_state_save(void *area, uint64_t mask)
{
	__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)) : "memory");
}
NAMED("restoreExtendedState(_:_:)") INSTRUCTION void extended_state_restore(const void *area, uint64_t mask)
{
	__asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)) : "memory");
}

/* SVM (APM vol. 2, 15). */
NAMED("setGlobalInterruptFlag()") INSTRUCTION void svm_stgi(void) { __asm__ volatile("stgi" : : : "memory"); }
NAMED("clearGlobalInterruptFlag()") INSTRUCTION void svm_clgi(void) { __asm__ volatile("clgi" : : : "memory"); }
NAMED("saveHostState(_:)") INSTRUCTION void svm_vmsave(uint64_t physical)
{
	__asm__ volatile("vmsave %%rax" : : "a"(physical) : "memory");
}
/* Lets NMIs that wait for GIF in, which is where they are taken in root mode. */
NAMED("takePendingNMI()") INSTRUCTION void svm_take_nmi(void) { __asm__ volatile("stgi; nop; nop; clgi" : : : "memory"); }

/* enter_svm.S: VMLOAD, VMRUN, VMSAVE. GIF is 0 before and after. `registers`: RAX to R15
 * in the order of their encoding. */
NAMED("enterSVM(_:_:_:)") void svm_enter(uint64_t guest_vmcb, uint64_t host_vmcb, void *registers);

/* VT-x (SDM vol. 3, 31). A failure shows itself at the next entry. */
NAMED("vmxon(_:)") INSTRUCTION void vmx_on(uint64_t physical) { __asm__ volatile("vmxon %0" : : "m"(physical) : "memory", "cc"); }
NAMED("vmxoff()") INSTRUCTION void vmx_off(void) { __asm__ volatile("vmxoff" : : : "memory", "cc"); }
NAMED("vmclear(_:)") INSTRUCTION void vmx_clear(uint64_t physical) { __asm__ volatile("vmclear %0" : : "m"(physical) : "memory", "cc"); }
NAMED("vmptrld(_:)") INSTRUCTION void vmx_load(uint64_t physical) { __asm__ volatile("vmptrld %0" : : "m"(physical) : "memory", "cc"); }
/* The current VMCS; all ones: none. */
NAMED("vmptrst()") INSTRUCTION uint64_t vmx_current(void)
{
	uint64_t physical;
	__asm__ volatile("vmptrst %0" : "=m"(physical) : : "memory", "cc");
	return physical;
}
/* Every field that is read exists: Capabilities has looked. */
NAMED("vmread(_:)") INSTRUCTION uint64_t vmx_read(uint64_t field)
{
	uint64_t value;
	__asm__ volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
	return value;
}
NAMED("vmwrite(_:_:)") INSTRUCTION void vmx_write(uint64_t field, uint64_t value)
{
	__asm__ volatile("vmwrite %1, %0" : : "r"(field), "r"(value) : "memory", "cc");
}
NAMED("invept(_:_:)") INSTRUCTION void vmx_invept(uint64_t type, uint64_t ept_pointer)
{
	struct { uint64_t pointer, reserved; } descriptor = { ept_pointer, 0 };
	__asm__ volatile("invept %1, %0" : : "r"(type), "m"(descriptor) : "memory", "cc");
}
/* Runs the handler of machine checks. */
NAMED("raiseMachineCheck()") INSTRUCTION void machine_check_raise(void) { __asm__ volatile("int $18" : : : "memory"); }
NAMED("globalDescriptorTable()") INSTRUCTION uint64_t gdt_base(void)
{
	struct { uint16_t limit; uint64_t base; } __attribute__((packed)) table;
	__asm__ volatile("sgdt %0" : "=m"(table));
	return table.base;
}
NAMED("interruptDescriptorTable()") INSTRUCTION uint64_t idt_base(void)
{
	struct { uint16_t limit; uint64_t base; } __attribute__((packed)) table;
	__asm__ volatile("sidt %0" : "=m"(table));
	return table.base;
}

/* enter_vmx.S: VMLAUNCH (`launched` 0) or VMRESUME of the current VMCS, unless the count of NMIs is no
 * longer `seen`. 0: the guest ran and exited. 1: an NMI came first. 2: the processor refused. */
NAMED("enterVMX(_:seen:isLaunched:)") uint32_t vmx_enter(void *registers, uint64_t seen, uint32_t launched);
extern const uint8_t vmx_exit[]; /* where exits arrive */
NAMED("getter:exitVMX()") INSTRUCTION uint64_t vmx_exit_address(void) { return (uint64_t)vmx_exit; }
/* vectors.S: an IRET to the caller. An NMI's exit blocks NMIs up to the next one. */
NAMED("unblockNMIs()") void nmi_unblock(void);

/* idle.S: HLT until `*word` differs from `seen` or an NMI comes; no NMI is missed. */
NAMED("haltWhile(_:is:)") void idle_while(const uint32_t *word, uint32_t seen);

/* vectors.S. */
extern const uint8_t exception_stubs[]; /* vectors 0 to 31, 16 bytes each */
NAMED("getter:exceptionStubs()") INSTRUCTION uint64_t exception_stubs_address(void) { return (uint64_t)exception_stubs; }
extern const uint8_t take_stubs[]; /* for each vector 8 bytes: ends the interrupt, and notes it in apus_cpu.taken */
NAMED("getter:takeStubs()") INSTRUCTION uint64_t take_stubs_address(void) { return (uint64_t)take_stubs; }
extern const uint8_t keep_interrupt[]; /* leaves it in service */
NAMED("getter:keepInterrupt()") INSTRUCTION uint64_t keep_interrupt_address(void) { return (uint64_t)keep_interrupt; }
extern const uint8_t take_interrupt_18[]; /* the same of vector 18, or a machine check */
NAMED("getter:takeInterrupt18()") INSTRUCTION uint64_t take_interrupt_18_address(void) { return (uint64_t)take_interrupt_18; }
/* Loads GDT and IDT, reloads the segment registers and the task register. */
NAMED("loadDescriptorTables(gdt:limit:idt:taskSelector:)")
void tables_load(uint64_t gdt, uint32_t gdt_limit, uint64_t idt, uint32_t task_selector);
/* With GIF 0 the interrupt flag only says whether an interrupt makes a guest exit that does not decide itself. */
NAMED("setInterruptFlag()") INSTRUCTION void interrupts_on(void) { __asm__ volatile("sti" : : : "memory"); }
NAMED("clearInterruptFlag()") INSTRUCTION void interrupts_off(void) { __asm__ volatile("cli" : : : "memory"); }
NAMED("readFlags()") INSTRUCTION uint64_t flags_read(void)
{
	uint64_t value;
	__asm__ volatile("pushfq; pop %0" : "=r"(value) : : "memory");
	return value;
}
/* Takes what is pending: STI for a few instructions. */
NAMED("openInterruptWindow()") INSTRUCTION void interrupt_window(void) { __asm__ volatile("sti; nop; nop; cli" : : : "memory"); }

/* What an exception stub leaves on the stack. */
struct exception_frame { uint64_t vector, error, rip, cs, rflags, rsp, ss; };

#endif
