/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copied to the start of a borrowed page below 1 MiB and entered by SIPI, in real mode
 * with CS = page >> 4: from there to long mode in one step (SDM vol. 3, 10.8.5 allows it
 * with paging and protection switched on together). EBX holds the page's address.
 */
#include "offsets.h"

#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define CR4_PAE 0x20
#define CR0_PG_WP_NE_ET_PE 0x80010031

  .section .rodata.trampoline, "a"
  .code16
  .globl trampoline
trampoline:
  cli
  cld
  mov %cs, %ax
  mov %ax, %ds
  xor %ebx, %ebx
  mov %ax, %bx
  shl $4, %ebx

  lea (gdt - trampoline)(%ebx), %eax
  mov %eax, (gdt_pointer - trampoline + 2)
  lea (long_mode - trampoline)(%ebx), %eax
  mov %eax, (long_mode_pointer - trampoline)
  lgdtl (gdt_pointer - trampoline)

  mov $CR4_PAE, %eax
  mov %eax, %cr4
  mov (TRAMPOLINE_PAGE_TABLE), %eax
  mov %eax, %cr3
  mov $MSR_EFER, %ecx
  mov $EFER_LME_NXE, %eax
  xor %edx, %edx
  wrmsr
  mov $CR0_PG_WP_NE_ET_PE, %eax
  mov %eax, %cr0
  ljmpl *(long_mode_pointer - trampoline)

  .code64
long_mode:
  mov $0x10, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  xor %eax, %eax
  mov %eax, %fs
  mov %eax, %gs
  mov TRAMPOLINE_STACK(%rbx), %rsp
  mov $CPU_CONTROL, %edi
  mov TRAMPOLINE_ENTRY(%rbx), %rax
  jmp *%rax

  .balign 8
gdt:
  .quad 0
  .quad 0x00af9b000000ffff  /* 0x08: 64-bit code */
  .quad 0x00cf93000000ffff  /* 0x10: data */
gdt_end:
gdt_pointer:
  .word gdt_end - gdt - 1
  .long 0
long_mode_pointer:
  .long 0
  .word 0x08
  .globl trampoline_end
trampoline_end:
