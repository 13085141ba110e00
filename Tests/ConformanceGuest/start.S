/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start of the conformance guest, entered as PVH guests are (32 bits, paging off), and its
 * exceptions and interrupts, each of which calls `interrupted`. The first 4 GiB are mapped to
 * themselves, and two pages from WINDOW on to what `window` holds.
 */
#include "guest.h"

#define VECTOR_SIZE 16
#define EFER 0xc0000080
#define EFER_LME 0x100
#define CR4_PAE_FXSR 0x620 /* PAE, OSFXSR, OSXMMEXCPT */
#define CR0_PG_WP_PE_MP 0x80010003
#define PRESENT_WRITABLE 3
#define LARGE 0x80

/* XEN_ELFNOTE_PHYS32_ENTRY: QEMU reads eight bytes of it from a 64-bit ELF. */
  .section .note.pvh, "a", @note
  .long 4, 8, 18
  .asciz "Xen"
  .quad start

  .text
  .code32
  .globl start
start:
  mov $stack_end, %esp
  mov %ebx, %ebp /* of PVH: the start info */
  /* Page tables: 4 GiB in 2 MiB pages. */
  mov $directories, %edi
  mov $(PRESENT_WRITABLE | LARGE), %eax
1:
  mov %eax, (%edi)
  add $8, %edi
  add $0x200000, %eax
  jnc 1b
  movl $(pointers + PRESENT_WRITABLE), root
  mov $(directories + PRESENT_WRITABLE), %eax
  mov $pointers, %edi
2:
  mov %eax, (%edi)
  add $4096, %eax
  add $8, %edi
  cmp $(directories + 4 * 4096), %eax
  jb 2b
  movl $(window_directory + PRESENT_WRITABLE), pointers + 4 * 8
  movl $(window + PRESENT_WRITABLE), window_directory
  mov $root, %eax
  mov %eax, %cr3
  mov $CR4_PAE_FXSR, %eax
  mov %eax, %cr4
  mov $EFER, %ecx
  rdmsr
  or $EFER_LME, %eax
  wrmsr
  mov $CR0_PG_WP_PE_MP, %eax
  mov %eax, %cr0
  lgdt gdt_pointer
  ljmp $CODE, $start_64

  .code64
start_64:
  mov $DATA, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  mov $stack_end, %esp
  /* The TSS's descriptor and the table of interrupts. */
  mov $task_state, %eax
  mov %ax, gdt + TASK + 2
  shr $16, %eax
  mov %al, gdt + TASK + 4
  mov %ah, gdt + TASK + 7
  mov $TASK, %eax
  ltr %ax
  mov $interrupt_table, %edi
  mov $vectors, %ebx
  mov $256, %ecx
3:
  mov %ebx, %eax
  mov %ax, (%rdi)
  movw $CODE, 2(%rdi)
  movw $0x8e00, 4(%rdi)
  shr $16, %eax
  mov %ax, 6(%rdi)
  add $16, %edi
  add $VECTOR_SIZE, %ebx
  loop 3b
  lidt interrupt_table_pointer
  mov %ebp, %edi
  call run
4:
  hlt
  jmp 4b

  .balign VECTOR_SIZE
vectors:
  .set vector, 0
  .rept 256
  .balign VECTOR_SIZE
  .if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21)
  .else
  push $0
  .endif
  push $vector
  jmp common
  .set vector, vector + 1
  .endr

common:
  push %rax
  push %rcx
  push %rdx
  push %rsi
  push %rdi
  push %r8
  push %r9
  push %r10
  push %r11
  cld
  lea 72(%rsp), %rdi
  mov %rsp, %rax
  and $-16, %rsp
  push %rax
  push %rax
  call interrupted
  pop %rsp
  pop %r11
  pop %r10
  pop %r9
  pop %r8
  pop %rdi
  pop %rsi
  pop %rdx
  pop %rcx
  pop %rax
  add $16, %rsp
  iretq

/*
 * run_operation(state, memory, code): loads the registers of `state`, calls `code` with RDI at
 * `memory`, and keeps what it leaves.
 */
  .globl run_operation
run_operation:
  push %rbx
  push %rbp
  push %r12
  mov %rdi, %rbp
  mov %rsi, %rdi
  mov %rdx, %r12
  mov STATE_RBX(%rbp), %rbx
  mov STATE_RCX(%rbp), %rcx
  mov STATE_RDX(%rbp), %rdx
  movups STATE_XMM0(%rbp), %xmm0
  lea 16(%rdi), %rsi
  push STATE_FLAGS(%rbp)
  mov STATE_RAX(%rbp), %rax
  popfq
  call *%r12
  pushfq
  cld
  pop STATE_FLAGS(%rbp)
  mov %rax, STATE_RAX(%rbp)
  mov %rbx, STATE_RBX(%rbp)
  mov %rcx, STATE_RCX(%rbp)
  mov %rdx, STATE_RDX(%rbp)
  movups %xmm0, STATE_XMM0(%rbp)
  pop %r12
  pop %rbp
  pop %rbx
  ret

/*
 * An operation on memory: its name, the flags that it defines, and its code, which finds the memory
 * at RDI and 16 bytes on at RSI.
 */
#define ARITHMETIC 0x8d5 /* OF, SF, ZF, AF, PF, CF */
#define LOGIC 0x8c5      /* without AF */
#define CARRY_OVERFLOW 0x801
#define CARRY 0x001
#define ZERO 0x040
.macro NAMED_OPERATION flags:req, name:req
  .section .rodata
771:
  .asciz "\name"
  .section .operations, "a"
  .quad 771b, \flags, 772f
  .text
772:
.endm
.macro OPERATION flags:req, instruction:vararg
  NAMED_OPERATION \flags, "\instruction"
  \instruction
  ret
.endm

  OPERATION ARITHMETIC, mov (%rdi), %eax
  OPERATION ARITHMETIC, mov %rax, (%rdi)
  OPERATION ARITHMETIC, mov %cl, 3(%rdi)
  OPERATION ARITHMETIC, movw $0x1234, (%rdi)
  OPERATION ARITHMETIC, movq $-2, (%rdi)
  OPERATION ARITHMETIC, movzbl (%rdi), %eax
  OPERATION ARITHMETIC, movswq (%rdi), %rax
  OPERATION ARITHMETIC, movslq (%rdi), %rax
  OPERATION ARITHMETIC, movbe (%rdi), %eax
  OPERATION ARITHMETIC, movbe %rax, (%rdi)
  OPERATION ARITHMETIC, movsq
  OPERATION ARITHMETIC, stosl
  OPERATION ARITHMETIC, lodsw
  OPERATION ARITHMETIC, rep movsb
  OPERATION ARITHMETIC, rep stosb
  OPERATION ARITHMETIC, cmpsb
  OPERATION ARITHMETIC, repe cmpsb
  OPERATION ARITHMETIC, scasl
  OPERATION ARITHMETIC, repne scasb
  OPERATION ARITHMETIC, add %eax, (%rdi)
  OPERATION ARITHMETIC, add (%rdi), %rax
  OPERATION ARITHMETIC, adcl $5, (%rdi)
  OPERATION ARITHMETIC, sbb %ax, (%rdi)
  OPERATION ARITHMETIC, sub (%rdi), %al
  OPERATION ARITHMETIC, cmpq $7, (%rdi)
  OPERATION LOGIC, andl $0xff, (%rdi)
  OPERATION LOGIC, or %rax, (%rdi)
  OPERATION LOGIC, xor %al, (%rdi)
  OPERATION LOGIC, testl $0x80, (%rdi)
  OPERATION LOGIC, test %rax, (%rdi)
  OPERATION ARITHMETIC, incl (%rdi)
  OPERATION ARITHMETIC, decb (%rdi)
  OPERATION ARITHMETIC, notl (%rdi)
  OPERATION ARITHMETIC, negq (%rdi)
  OPERATION CARRY, shll $3, (%rdi)
  OPERATION CARRY, shrq %cl, (%rdi)
  OPERATION CARRY, sarb $1, (%rdi)
  OPERATION CARRY, roll $4, (%rdi)
  OPERATION CARRY, rcrl $1, (%rdi)
  OPERATION CARRY, shldl $5, %eax, (%rdi)
  OPERATION CARRY, shrdq %cl, %rax, (%rdi)
  OPERATION CARRY_OVERFLOW, mull (%rdi)
  OPERATION CARRY_OVERFLOW, imulq (%rdi)
  OPERATION CARRY_OVERFLOW, imull (%rdi), %eax
  OPERATION CARRY_OVERFLOW, imull $9, (%rdi), %eax
  OPERATION ZERO, bsf (%rdi), %eax
  OPERATION ZERO, bsr (%rdi), %rax
  OPERATION CARRY, btl $5, (%rdi)
  OPERATION CARRY, bts %ecx, (%rdi)
  OPERATION CARRY, btrl $3, (%rdi)
  OPERATION CARRY, lock btcl $1, (%rdi)
  OPERATION ARITHMETIC, xchg %eax, (%rdi)
  OPERATION ARITHMETIC, xadd %eax, (%rdi)
  OPERATION ARITHMETIC, lock xadd %rax, (%rdi)
  OPERATION ARITHMETIC, cmpxchg %ecx, (%rdi)
  OPERATION ZERO, cmpxchg8b (%rdi)
  OPERATION ARITHMETIC, movnti %eax, (%rdi)
  OPERATION ARITHMETIC, movups (%rdi), %xmm0
  OPERATION ARITHMETIC, movups %xmm0, (%rdi)
  OPERATION ARITHMETIC, movaps %xmm0, (%rdi)
  OPERATION ARITHMETIC, movdqu (%rdi), %xmm0
  OPERATION ARITHMETIC, movdqa %xmm0, (%rdi)
  OPERATION ARITHMETIC, movq %xmm0, (%rdi)
  OPERATION ARITHMETIC, movq (%rdi), %xmm0
  OPERATION ARITHMETIC, movd %xmm0, (%rdi)
  OPERATION ARITHMETIC, movntdq %xmm0, (%rdi)
  OPERATION ARITHMETIC, setc (%rdi)
  OPERATION ARITHMETIC, cmovz (%rdi), %eax
  OPERATION ARITHMETIC, smsww (%rdi)
  OPERATION ARITHMETIC, strw (%rdi)
  OPERATION ARITHMETIC, sldtw (%rdi)
  OPERATION ARITHMETIC, movl $0x12345678, (%rdi)
  NAMED_OPERATION ARITHMETIC, "push (%rdi)"
  pushq (%rdi)
  popq %rax
  ret
  NAMED_OPERATION ARITHMETIC, "pop (%rdi)"
  pushq %rax
  popq (%rdi)
  ret
  NAMED_OPERATION ARITHMETIC, "push and pop with the stack there"
  xchg %rsp, %rsi
  pushq %rax
  popq %rbx
  xchg %rsp, %rsi
  ret
  /* The last: KVM of Linux 6.1 does not know it, and ends the guest. */
  OPERATION ZERO, cmpxchg16b (%rdi)

  .section .rodata
  .balign 8
gdt_pointer:
  .word gdt_end - gdt - 1
  .quad gdt
interrupt_table_pointer:
  .word 256 * 16 - 1
  .quad interrupt_table

  .data
  .balign 8
gdt:
  .quad 0
  .quad 0x00af9b000000ffff /* CODE */
  .quad 0x00cf93000000ffff /* DATA */
  .quad 0x0000890000000067, 0 /* TASK */
gdt_end:

  .bss
  .balign 4096
root: .skip 4096
pointers: .skip 4096
directories: .skip 4 * 4096
window_directory: .skip 4096
  .globl window
window: .skip 4096
interrupt_table: .skip 4096
task_state: .skip 104
  .balign 16
  .skip 16384
stack_end:
