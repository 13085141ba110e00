/* SPDX-License-Identifier: Apache-2.0 */
/* The local APIC timer, used directly: once, and periodically. */
#include "guest.inc"

GUEST timer_one_shot
  call guest_setup
  WRITE_MSR X2APIC_TIMER_DIVIDE, 0xb
  WRITE_MSR X2APIC_LVT_TIMER, 0x40
  WRITE_MSR X2APIC_TIMER_INITIAL, 20000
  AWAIT 0x40, 1
  mov $X2APIC_TIMER_CURRENT, %ecx
  rdmsr
  RESULT 0, %rax
  END

GUEST timer_periodic
  call guest_setup
  WRITE_MSR X2APIC_TIMER_DIVIDE, 0xb
  WRITE_MSR X2APIC_LVT_TIMER, (LVT_PERIODIC | 0x41)
  WRITE_MSR X2APIC_TIMER_INITIAL, 20000
  AWAIT 0x41, 10
  WRITE_MSR X2APIC_TIMER_INITIAL, 0
  END

/* Result 0: 1 if there is such a timer; result 1: what is left in the MSR afterwards. */
GUEST tsc_deadline
  call guest_setup
  mov $1, %eax
  cpuid
  xor %eax, %eax
  bt $24, %ecx
  jnc 1f
  WRITE_MSR X2APIC_LVT_TIMER, (LVT_TSC_DEADLINE | 0x42)
  rdtsc
  add $20000, %eax
  adc $0, %edx
  mov $IA32_TSC_DEADLINE, %ecx
  wrmsr
  AWAIT 0x42, 1
  mov $IA32_TSC_DEADLINE, %ecx
  rdmsr
  RESULT 1, %rax
  mov $1, %eax
1:
  RESULT 0, %rax
  END

/* A hundred times: armed when the one before has come. An interrupt that is lost is waited for without end. */
GUEST timer_chain
  call guest_setup
  WRITE_MSR X2APIC_TIMER_DIVIDE, 0xb
  WRITE_MSR X2APIC_LVT_TIMER, 0x46
  xor %esi, %esi
1:
  WRITE_MSR X2APIC_TIMER_INITIAL, 20000
  inc %esi
2:
  cli
  cmpq %rsi, GUEST_INTERRUPTS + 8 * 0x46
  jae 3f
  sti
  hlt
  jmp 2b
3:
  sti
  cmp $100, %esi
  jb 1b
  END

/*
 * A TSC that the client has set and the guest moves on. Results: RDTSC, RDMSR, RDTSC after IA32_TSC_ADJUST
 * was increased by 2^40; then with a TSC-deadline timer the deadline and RDTSC behind its interrupt.
 */
GUEST own_tsc
  call guest_setup
  call timer_read_tsc
  RESULT 0, %rax
  mov $0x10, %ecx
  rdmsr
  shl $32, %rdx
  or %rdx, %rax
  RESULT 1, %rax
  mov $0x3b, %ecx
  rdmsr
  add $0x100, %edx
  wrmsr
  call timer_read_tsc
  RESULT 2, %rax
  mov $1, %eax
  cpuid
  bt $24, %ecx
  jnc 1f
  WRITE_MSR X2APIC_LVT_TIMER, (LVT_TSC_DEADLINE | 0x42)
  rdtsc
  add $20000, %eax
  adc $0, %edx
  mov $IA32_TSC_DEADLINE, %ecx
  wrmsr
  shl $32, %rdx
  or %rdx, %rax
  RESULT 3, %rax
  AWAIT 0x42, 1
  call timer_read_tsc
  RESULT 4, %rax
1:
  END

timer_read_tsc:
  rdtsc
  shl $32, %rdx
  or %rdx, %rax
  ret
