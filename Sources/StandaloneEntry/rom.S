/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 64 KiB below 4 GiB for a machine without firmware (Bochs): from the reset vector
 * to protected mode and into start.S, with the PVH structure that QEMU would pass. The
 * lab puts the flat image and the monitor where this says, and the command line in here.
 */
#include "include/standalone.h"

#define ROM_BASE 0xffff0000

  .section .rom, "", @progbits
rom:
  .code16
real_mode:
  cli
  mov %cs, %ax
  mov %ax, %ds
  lgdtl %cs:(rom_gdt_pointer - rom)
  mov %cr0, %eax
  and $0x9fffffff, %eax   /* CD and NW are set at reset */
  or $1, %eax
  mov %eax, %cr0
  ljmpl $0x08, $(ROM_BASE + protected_mode - rom)

  .code32
protected_mode:
  mov $0x10, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  mov $(ROM_BASE + start_info - rom), %ebx
  mov $STANDALONE_BASE, %eax
  jmp *%eax

  .balign 8
rom_gdt:
  .quad 0
  .quad 0x00cf9b000000ffff  /* 0x08: 32-bit code */
  .quad 0x00cf93000000ffff  /* 0x10: data */
rom_gdt_end:
rom_gdt_pointer:
  .word rom_gdt_end - rom_gdt - 1
  .long ROM_BASE + rom_gdt - rom

/* struct hvm_start_info, version 1 (xen/include/public/arch-x86/hvm/start_info.h). */
  .balign 8
start_info:
  .long 0x336ec578, 1, 0, 1
  .quad ROM_BASE + modules - rom
  .quad ROM_BASE + ROM_COMMAND_LINE
  .quad 0, 0
  .long 0, 0
modules:
  .quad ROM_MONITOR, 0, 0, 0

  .org 0xfff0
  .code16
  ljmp $0xf000, $(real_mode - rom)
  .org 0xffff
  .byte 0
