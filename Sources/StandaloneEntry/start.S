/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the standalone image is entered, by QEMU's PVH loader and by rom.S alike: 32-bit
 * protected mode, flat segments, no paging, EBX = struct hvm_start_info. The first 4 GiB are
 * mapped at their own addresses in pages of 2 MiB, and Swift is called in long mode.
 */

#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define CR4_PAE_OSFXSR 0x220
#define CR0_PG_WP_NE_ET_PE 0x80010031
#define PRESENT_WRITABLE 0x3
#define LARGE 0x80

/* XEN_ELFNOTE_PHYS32_ENTRY: QEMU reads eight bytes of it from a 64-bit ELF. */
  .section .note.pvh, "a", @note
  .long 4, 8, 18
  .asciz "Xen"
  .quad standalone_start

  .section .text.start, "ax"
  .code32
  .globl standalone_start
standalone_start:
  cli
  cld
  mov %ebx, %esi
  mov $bss_start, %edi
  mov $bss_words, %ecx
  xor %eax, %eax
  rep stosl

  movl $page_directory_pointers + PRESENT_WRITABLE, page_map
  mov $page_directories + PRESENT_WRITABLE, %eax
  mov $page_directory_pointers, %edi
1:
  mov %eax, (%edi)
  add $4096, %eax
  add $8, %edi
  cmp $page_directory_pointers + 32, %edi
  jb 1b
  mov $PRESENT_WRITABLE | LARGE, %eax
  mov $page_directories, %edi
2:
  mov %eax, (%edi)
  add $8, %edi
  add $0x200000, %eax
  jnc 2b

  lgdtl gdt_pointer
  mov $CR4_PAE_OSFXSR, %eax
  mov %eax, %cr4
  mov $page_map, %eax
  mov %eax, %cr3
  mov $MSR_EFER, %ecx
  rdmsr
  or $EFER_LME_NXE, %eax
  wrmsr
  mov $CR0_PG_WP_NE_ET_PE, %eax
  mov %eax, %cr0
  ljmpl $0x08, $long_mode

  .code64
long_mode:
  mov $0x10, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  xor %eax, %eax
  mov %eax, %fs
  mov %eax, %gs
  lea stack_end(%rip), %rsp
  mov %esi, %edi
  xor %ebp, %ebp
  call standalone_main
3:
  cli
  hlt
  jmp 3b

  .section .rodata.start, "a"
  .balign 8
gdt:
  .quad 0
  .quad 0x00af9b000000ffff  /* 0x08: 64-bit code */
  .quad 0x00cf93000000ffff  /* 0x10: data */
gdt_end:
gdt_pointer:
  .word gdt_end - gdt - 1
  .long gdt

  .section .bss.start, "aw", @nobits
  .balign 4096
page_map:
  .skip 4096
page_directory_pointers:
  .skip 4096
page_directories:
  .skip 4 * 4096
  .skip 65536
stack_end:
