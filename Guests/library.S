/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What guests in long mode share: an IDT whose handlers count. An exception besides leaves
 * its error code and RIP, and goes on at R15 if that is not 0; else it ends the guest with a
 * triple fault.
 */
#include "guest.inc"

  .section .guests.code.library, "ax"

/* guest_interrupts, and switches the local APIC on (one exit: the SVR). */
  .globl guest_setup
guest_setup:
  call guest_interrupts
  WRITE_MSR X2APIC_SVR, 0x1ff
  ret

/* Fills and loads the IDT. */
  .globl guest_interrupts
guest_interrupts:
  lea stubs(%rip), %rax
  mov $GUEST_IDT, %edi
  mov $256, %ecx
1:
  mov %ax, (%rdi)
  movl $GUEST_CODE64, 2(%rdi)
  movw $0x8e00, 4(%rdi)
  mov %rax, %rdx
  shr $16, %rdx
  mov %edx, 6(%rdi)
  movl $0, 10(%rdi)
  add $16, %rdi
  add $8, %rax
  dec %ecx
  jnz 1b
  lidt idt_pointer(%rip)
  ret

  .balign 8
stubs:
  .set vector, 0
  .rept 256
  .balign 8
  .if vector < 128
  push $vector
  .else
  push $(vector - 256)
  .endif
  jmp count_interrupt
  .set vector, vector + 1
  .endr

/* Stack: vector as a signed byte, then an exception's error code or at once the frame. */
count_interrupt:
  xchg %rax, (%rsp)
  push %rcx
  push %rdx
  movzbl %al, %eax
  lock incq GUEST_INTERRUPTS(, %rax, 8)
  cmp $18, %eax           /* an interrupt: nothing here has machine checks */
  je interrupt
  cmp $32, %eax
  jb exception
interrupt:
  mov GUEST_HOOK, %rcx
  test %rcx, %rcx
  jz 2f
  call *%rcx
2:
  cmpl $0, GUEST_XAPIC
  jnz 3f
  mov $X2APIC_EOI, %ecx
  xor %eax, %eax
  xor %edx, %edx
  wrmsr
  jmp return_from_interrupt
3:
  mov $0xfee000b0, %ecx
  movl $0, (%rcx)
return_from_interrupt:
  pop %rdx
  pop %rcx
  pop %rax
  iretq

exception:
  cmp $2, %eax            /* an NMI is no fault */
  je return_from_interrupt
  mov $0x60227d00, %ecx   /* those that push an error code */
  bt %eax, %ecx
  jc 1f
  /* No code: one word of the frame lower than below. */
  mov 24(%rsp), %rdx
  mov %rdx, GUEST_FAULT_RIP
  movq $0, GUEST_FAULT_ERROR
  test %r15, %r15
  jz dead
  mov %r15, 24(%rsp)
  jmp return_from_interrupt
1:
  mov 24(%rsp), %rdx
  mov %rdx, GUEST_FAULT_ERROR
  mov 32(%rsp), %rdx
  mov %rdx, GUEST_FAULT_RIP
  test %r15, %r15
  jz dead
  mov %r15, 32(%rsp)
  pop %rdx
  pop %rcx
  pop %rax
  add $8, %rsp
  iretq

dead:
  lidt no_idt_pointer(%rip)
  ud2

  .balign 8
idt_pointer:
  .word 4095
  .quad GUEST_IDT
no_idt_pointer:
  .word 0
  .quad 0
