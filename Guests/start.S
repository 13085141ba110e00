/* SPDX-License-Identifier: Apache-2.0 */
/* From real mode by way of protected mode to long mode, each with a result. */
#include "guest.inc"

GUEST real_mode, GUEST_STARTS_REAL
  .code16
  xor %ax, %ax
  mov %ax, %ds
  movw $0x1234, GUEST_RESULTS
  mov %cs, %ax
  mov %ax, GUEST_RESULTS + 8
  mov $GUEST_PORT_STEP, %dx
  out %al, %dx
  lgdtl %cs:(gdt_pointer - GUEST_IMAGE)
  mov %cr0, %eax
  or $1, %eax
  mov %eax, %cr0
  ljmpl $GUEST_CODE32, $protected_mode

  .code32
protected_mode:
  mov $GUEST_DATA, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  mov $GUEST_STACK, %esp
  movl $0x12345678, GUEST_RESULTS + 16
  mov $GUEST_PORT_STEP, %dx
  out %al, %dx
  mov $0x20, %eax         /* CR4.PAE */
  mov %eax, %cr4
  mov $GUEST_PAGE_TABLES, %eax
  mov %eax, %cr3
  mov $0xc0000080, %ecx
  rdmsr
  or $0x100, %eax         /* EFER.LME */
  wrmsr
  mov %cr0, %eax
  or $0x80000000, %eax
  mov %eax, %cr0
  ljmpl $GUEST_CODE64, $long_mode

  .code64
long_mode:
  mov $0x1122334455667788, %rax
  RESULT 3, %rax
  mov $0xc0000080, %ecx
  rdmsr
  RESULT 4, %rax
  END

  .balign 8
gdt_pointer:
  .word 0x1f
  .long GUEST_GDT
