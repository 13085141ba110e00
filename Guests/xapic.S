/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that stays in xAPIC mode: the same through memory, with exits. */
#include "guest.inc"

GUEST xapic
  call guest_interrupts
  movl $1, GUEST_XAPIC
  mov $XAPIC, %ebx
  mov 0x20(%rbx), %eax
  RESULT 0, %rax
  mov 0x30(%rbx), %eax
  RESULT 1, %rax
  movl $0x1ff, 0xf0(%rbx)
  movl $0xb, 0x3e0(%rbx)
  movl $0x43, 0x320(%rbx)
  movl $20000, 0x380(%rbx)
  AWAIT 0x43, 1
  /* ICR: to itself, by number. */
  movl $0, 0x310(%rbx)
  movl $0x44, 0x300(%rbx)
  AWAIT 0x44, 1
  END

/* From xAPIC to x2APIC mode by IA32_APIC_BASE, as Linux does; and what is not allowed. */
GUEST to_x2apic
  call guest_interrupts
  mov $X2APIC_ID, %ecx
  MAY_FAULT rdmsr
  mov $IA32_APIC_BASE, %ecx
  rdmsr
  RESULT 0, %rax
  or $0x400, %eax
  wrmsr
  rdmsr
  RESULT 1, %rax
  /* Back to xAPIC mode without a disabled APIC between. */
  and $~0x400, %eax
  MAY_FAULT wrmsr
  /* Reserved bits. */
  mov $0xfee00f00, %eax
  MAY_FAULT wrmsr
  mov $0xfee00d01, %eax
  MAY_FAULT wrmsr
  WRITE_MSR X2APIC_SVR, 0x1ff
  sti
  WRITE_MSR X2APIC_SELF_IPI, 0x45
  AWAIT 0x45, 1
  END
