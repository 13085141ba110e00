/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions of the stand-in are its own mistakes: reported, then the end. The doorbell is
 * the one interrupt that it takes.
 */

  .section .text.standalone_vectors, "ax"
  .balign 16
  .globl standalone_stubs
standalone_stubs:
  .set vector, 0
  .rept 32
  .balign 16
  .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
  push $0
  .endif
  push $vector
  jmp fault
  .set vector, vector + 1
  .endr

fault:
  mov %rsp, %rdi
  cld
  and $-16, %rsp
  call standalone_fault
1:
  cli
  hlt
  jmp 1b

  .globl doorbell_rung
doorbell_rung:
  push %rax
  push %rcx
  push %rdx
  lock incq doorbell_count(%rip)
  mov $0x80b, %ecx        /* x2APIC EOI */
  xor %eax, %eax
  xor %edx, %edx
  wrmsr
  pop %rdx
  pop %rcx
  pop %rax
  iretq

  .section .bss.doorbell, "aw", @nobits
  .balign 8
  .globl doorbell_count
doorbell_count:
  .skip 8
