/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first sector of a disk without partitions: reads what the list at the sector's end names
 * into memory, any of it above 1 MiB, and enters the kernel's setup at 0x90200 as its boot protocol
 * says for real mode (Documentation/arch/x86/boot.rst). The lab writes the list and the kernel's
 * header; see BootDisk.swift.
 */
  .set BUFFER, 0x10000    /* one transfer, below 1 MiB where the BIOS can write */
  .set SECTORS, 64        /* of one transfer */
  .set SETUP, 0x9000      /* segment of the kernel's setup, with stack and heap above it */

  .set MARK, 0x600        /* is MARK_VALUE if this ran before: memory outlasts a reset */
  .set MARK_VALUE, 0x73757061

  .section .text, "ax", @progbits
  .code16
sector:
  cli
  cld
  xor %ax, %ax
  mov %ax, %ds
  mov %ax, %ss
  mov $sector, %sp
  mov %dl, drive
  in $0x92, %al           /* A20 */
  or $2, %al
  out %al, $0x92
  sti
  /* A machine that starts again has end: a panic, or a reset that nobody asked for. */
  cmpl $MARK_VALUE, MARK
  je end
  movl $MARK_VALUE, MARK
  mov $list, %si

/* SI: an entry of the list, which is counted down while it is read. */
next_entry:
  mov 4(%si), %ecx
  test %ecx, %ecx
  jz enter
  cmp $SECTORS, %ecx
  jbe 1f
  mov $SECTORS, %ecx
1:
  mov %cx, packet_sectors
  mov (%si), %eax
  mov %eax, packet_block
  push %si
  mov $packet, %si
  mov drive, %dl
  mov $0x42, %ah          /* extended read */
  int $0x13
  pop %si
  jc end
  call reach_all_memory
  movzwl packet_sectors, %ecx
  add %ecx, (%si)
  sub %ecx, 4(%si)
  mov 8(%si), %edi
  push %si
  mov $BUFFER, %esi
  shl $7, %ecx            /* words of four bytes */
  .byte 0x67              /* of 32-bit addresses */
  rep movsl
  pop %si
  mov %edi, 8(%si)
  cmpl $0, 4(%si)
  jne next_entry
  add $12, %si
  jmp next_entry

enter:
  cli
  mov $SETUP, %ax
  mov %ax, %ds
  mov %ax, %es
  mov %ax, %fs
  mov %ax, %gs
  mov %ax, %ss
  mov $0xe000, %sp
  ljmp $(SETUP + 0x20), $0

/* Makes DS and ES end at 4 GiB instead of 64 KiB: the limit of protected mode stays. */
reach_all_memory:
  cli
  push %ds
  lgdt table_pointer
  mov %cr0, %eax
  or $1, %al
  mov %eax, %cr0
  mov $8, %bx
  mov %bx, %ds
  mov %bx, %es
  and $0xfe, %al
  mov %eax, %cr0
  pop %ds
  push %ds
  pop %es
  sti
  ret

/* Ends the emulator (Bochs), or stays. */
end:
  mov $word, %si
  mov $(word_end - word), %cx
  mov $0x8900, %dx
  rep outsb
  cli
1:
  hlt
  jmp 1b

word:
  .ascii "Shutdown"
word_end:

  .balign 8
table:
  .quad 0
  .quad 0x00cf93000000ffff
table_pointer:
  .word . - table - 1
  .long table

packet:
  .byte 16, 0
packet_sectors:
  .word 0
  .word 0, BUFFER >> 4
packet_block:
  .quad 0
drive:
  .byte 0

/* Entries of 32-bit words: first block, blocks, address. The one without blocks is the last. */
  .org 0x1c0
list:
  .org 0x1fe
  .word 0xaa55
