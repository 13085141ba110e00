/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts that come from another CPU or from the guest itself. */
#include "guest.inc"

/* Sleeps; result 0 counts wake-ups. The stand-in sends vector 0x50 five times. */
GUEST ipi
  call guest_setup
1:
  cli
  cmpq $5, GUEST_INTERRUPTS + 8 * 0x50
  jae 2f
  incq GUEST_RESULTS
  sti
  hlt
  jmp 1b
2:
  END

/* The same without HLT, and with interrupts on all the time. */
GUEST ipi_spin
  call guest_setup
  sti
1:
  incq GUEST_RESULTS
  cmpq $20, GUEST_INTERRUPTS + 8 * 0x50
  jb 1b
  END

GUEST self_ipi
  call guest_setup
  sti
  WRITE_MSR X2APIC_SELF_IPI, 0x51
  AWAIT 0x51, 1
  END

/* Requested while IF is 0; taken only after two exits, when IF is 1. */
GUEST pending_across_exit
  call guest_setup
  cli
  WRITE_MSR X2APIC_SELF_IPI, 0x52
  xor %eax, %eax
  cpuid
  STEP
  mov GUEST_INTERRUPTS + 8 * 0x52, %rax
  RESULT 0, %rax
  sti
  nop
  nop
  mov GUEST_INTERRUPTS + 8 * 0x52, %rax
  RESULT 1, %rax
  AWAIT 0x52, 1
  END

/* CR8 is the real priority register: a vector below it waits. */
GUEST task_priority
  call guest_setup
  sti
  mov $15, %eax
  mov %rax, %cr8
  WRITE_MSR X2APIC_SELF_IPI, 0x53
  mov $1000, %ecx
1:
  pause
  loop 1b
  mov GUEST_INTERRUPTS + 8 * 0x53, %rax
  RESULT 0, %rax
  mov $X2APIC_TPR, %ecx
  rdmsr
  RESULT 1, %rax
  xor %eax, %eax
  mov %rax, %cr8
  AWAIT 0x53, 1
  END

/* ICR: fixed to itself by physical and logical destination and by shorthand, then the
 * delivery modes that are refused: SMI, remote read, ExtINT. */
GUEST interrupt_command
  call guest_setup
  sti
  mov $0x802, %ecx
  rdmsr
  mov %eax, %esi
  mov $X2APIC_ICR, %ecx
  mov $0x54, %eax
  mov %esi, %edx
  wrmsr
  AWAIT 0x54, 1
  mov $0x80d, %ecx
  rdmsr
  mov %eax, %edx
  mov $X2APIC_ICR, %ecx
  mov $0x854, %eax
  wrmsr
  AWAIT 0x54, 2
  mov $X2APIC_ICR, %ecx
  mov $0x40054, %eax
  xor %edx, %edx
  wrmsr
  AWAIT 0x54, 3
  mov $X2APIC_ICR, %ecx
  mov %esi, %edx
  mov $0x200, %eax
  MAY_FAULT wrmsr
  mov $0x300, %eax
  MAY_FAULT wrmsr
  mov $0x755, %eax
  MAY_FAULT wrmsr
  /* A destination that no CPU of this VM has: nobody gets it. */
  mov $0x56, %eax
  mov $7, %edx
  wrmsr
  /* An NMI to itself. */
  mov $0x400, %eax
  mov %esi, %edx
  wrmsr
  nop
  END

/*
 * Four steps, at which the stand-in changes how the guest's APIC is served: two vectors requested; one in
 * service and requested again; the timer armed; a task priority set.
 */
GUEST switch
  call guest_setup
  cli
  WRITE_MSR X2APIC_SELF_IPI, 0x52
  WRITE_MSR X2APIC_SELF_IPI, 0x73
  STEP
  mov GUEST_INTERRUPTS + 8 * 0x52, %rax
  RESULT 0, %rax
  AWAIT 0x52, 1
  AWAIT 0x73, 1
  lea 1f(%rip), %rax
  mov %rax, GUEST_HOOK
  WRITE_MSR X2APIC_SELF_IPI, 0x54
  AWAIT 0x54, 2
  WRITE_MSR X2APIC_TIMER_DIVIDE, 0xb
  WRITE_MSR X2APIC_LVT_TIMER, 0x45
  WRITE_MSR X2APIC_TIMER_INITIAL, 200000
  STEP
  AWAIT 0x45, 1
  mov $5, %eax
  mov %rax, %cr8
  STEP
  mov %cr8, %rax
  RESULT 1, %rax
  xor %eax, %eax
  mov %rax, %cr8
  END
1:
  movq $0, GUEST_HOOK
  WRITE_MSR X2APIC_SELF_IPI, 0x54
  STEP
  ret
