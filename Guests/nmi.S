/* SPDX-License-Identifier: Apache-2.0 */
/* NMIs: when the guest takes them, and when it does not. */
#include "guest.inc"

/* Vector 2 goes to `handler`. */
.macro HANDLE_NMI handler:req
  lea \handler(%rip), %rax
  mov $GUEST_IDT + 2 * 16, %edi
  mov %ax, (%rdi)
  shr $16, %eax
  mov %ax, 6(%rdi)
.endm

/* To this vCPU, which has the number 0. */
.macro SEND_NMI
  WRITE_MSR X2APIC_ICR, 0x400
.endm

/*
 * The handler sends two more and exits in between: one of them comes, at its IRET. Results: NMIs in all,
 * NMIs up to the end of the first handler, whether the second found other flags or another RIP than the
 * first.
 */
GUEST nmi_blocked
  call guest_setup
  HANDLE_NMI 2f
  SEND_NMI
  nop
  mov GUEST_INTERRUPTS + 8 * 2, %rax
  RESULT 0, %rax
  END
2:
  incq GUEST_INTERRUPTS + 8 * 2
  cmpq $1, GUEST_INTERRUPTS + 8 * 2
  jne 3f
  mov (%rsp), %r8
  mov 16(%rsp), %r9
  SEND_NMI
  xor %eax, %eax
  cpuid
  SEND_NMI
  xor %eax, %eax
  cpuid
  mov GUEST_INTERRUPTS + 8 * 2, %rax
  RESULT 1, %rax
  iretq
3:
  xor (%rsp), %r8
  xor 16(%rsp), %r9
  or %r9, %r8
  RESULT 2, %r8
  iretq

/*
 * STI and MOV SS again and again, and NMIs from the stand-in. Results: NMIs that came behind one of them, and
 * the flags of all of them.
 */
GUEST nmi_shadow
  call guest_setup
  HANDLE_NMI 4f
  mov %ss, %edx
  xor %r9d, %r9d
  movq $1, GUEST_RESULTS + 8 * 3
1:
  sti
2:
  nop
  cli
  mov %edx, %ss
3:
  nop
  cmpl $0, GUEST_PARAMETER
  je 1b
  RESULT 1, %r9
  END
4:
  or 16(%rsp), %r9
  lea 2b(%rip), %r8
  cmp %r8, (%rsp)
  je 5f
  lea 3b(%rip), %r8
  cmp %r8, (%rsp)
  jne 6f
5:
  incq GUEST_RESULTS
6:
  incq GUEST_INTERRUPTS + 8 * 2
  iretq

/* The same with HLT behind STI: the guest wakes, and nothing else wakes it. It ends with the 60th. */
GUEST nmi_halt
  call guest_setup
  HANDLE_NMI 3f
  movq $1, GUEST_RESULTS + 8 * 3
1:
  sti
  hlt
  cli
  jmp 1b
2:
  END
3:
  incq GUEST_INTERRUPTS + 8 * 2
  cmpq $60, GUEST_INTERRUPTS + 8 * 2
  jb 4f
  lea 2b(%rip), %r8
  mov %r8, (%rsp)
4:
  iretq
