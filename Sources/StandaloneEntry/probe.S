/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copied to a page below 1 MiB and entered by SIPI: what firmware does for a CPU, and a look
 * at the state in which the monitor left it. Writes IA32_APIC_BASE into the page, at
 * PROBE_APIC_BASE, then 1 at PROBE_DONE. An APIC in x2APIC mode goes back to xAPIC mode. Where IA32_FEATURE_CONTROL is not locked yet, VT-x
 * is allowed in it (SDM vol. 3, 24.7).
 */
#include "include/standalone.h"

#define MSR_APIC_BASE 0x1b
#define MSR_FEATURE_CONTROL 0x3a
#define LOCKED_AND_VMX 5
#define CPUID_1_ECX_VMX 0x20

  .section .rodata.probe, "a"
  .code16
  .globl probe
probe:
  cli
  mov %cs, %ax
  mov %ax, %ds
  mov $MSR_APIC_BASE, %ecx
  rdmsr
  mov %eax, (PROBE_APIC_BASE)
  mov %edx, (PROBE_APIC_BASE + 4)
  bt $10, %eax            /* x2APIC: left by way of a disabled APIC (SDM vol. 3, 11.12.5) */
  jnc 3f
  and $~0xc00, %eax
  wrmsr
  or $0x800, %eax
  wrmsr
3:
  mov $1, %eax
  xor %ecx, %ecx
  cpuid
  test $CPUID_1_ECX_VMX, %ecx
  jz 1f
  mov $MSR_FEATURE_CONTROL, %ecx
  rdmsr
  test $1, %al
  jnz 1f
  or $LOCKED_AND_VMX, %al
  wrmsr
1:
  movl $1, (PROBE_DONE)
2:
  hlt
  jmp 2b
  .globl probe_end
probe_end:
