/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's interrupt and exception entries. It takes maskable interrupts while it
 * drains an APIC, and those of a guest whose APIC is emulated: each is ended and written
 * down. An exception is a mistake of its own and stops the CPU, but
 * for the two MSR accesses that may fault. An NMI is only a wake-up: what it is about
 * stands in memory (docs/model). One that arrives between the last look at that memory
 * and the instruction that would sleep, or on VT-x enter the guest, moves RIP past that
 * instruction: nothing between changes RSP.
 */
#include "offsets.h"

  .section .text.vectors, "ax"

/* Pushes the error code 0 where the processor pushes none. */
  .balign 16
  .globl exception_stubs
exception_stubs:
  .set vector, 0
  .rept 32
  .balign 16
  .if vector == 2
  jmp nmi
  .elseif vector == 18
  jmp machine_check
  .else
  .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
  push $0
  .endif
  push $vector
  jmp exception
  .endif
  .set vector, vector + 1
  .endr

exception:
  /* stack: vector, error, rip, cs, rflags, rsp, ss */
  cmpq $13, (%rsp)
  jne 2f
  push %rax
  lea msr_try_access(%rip), %rax
  cmp %rax, 24(%rsp)
  jb 1f
  lea msr_try_access_end(%rip), %rax
  cmp %rax, 24(%rsp)
  jae 1f
  lea msr_try_failed(%rip), %rax
  mov %rax, 24(%rsp)
  pop %rax
  add $16, %rsp
  iretq
1:
  pop %rax
2:
  mov %rsp, %rdi
  cld
  and $-16, %rsp
  call monitor_fault
3:
  cli
  hlt
  jmp 3b

nmi:
  push %rax
  /* docs/model, H1: count, move RIP out of a window. */
  incq CPU_CONTROL + CPU_NMIS
  lea idle_check(%rip), %rax
  cmp %rax, 8(%rsp)
  jb 1f
  lea idle_awake(%rip), %rax
  cmp %rax, 8(%rsp)
  jae 1f
  mov %rax, 8(%rsp)
1:
  lea vmx_window(%rip), %rax
  cmp %rax, 8(%rsp)
  jb 2f
  lea vmx_window_end(%rip), %rax
  cmp %rax, 8(%rsp)
  jae 2f
  lea vmx_prevented(%rip), %rax
  mov %rax, 8(%rsp)
2:
  /* H2 */
  pop %rax
  iretq

/* nmi_unblock() */
  .globl nmi_unblock
nmi_unblock:
  pop %rax
  mov %rsp, %rcx
  mov %ss, %edx
  push %rdx
  push %rcx
  pushfq
  mov %cs, %edx
  push %rdx
  push %rax
  iretq

/*
 * A machine check is broadcast to every CPU. Where the interrupted code can go on
 * (MCG_STATUS.RIPV, SDM vol. 3, 16.3.1.2) it does: Linux's CPUs read the banks.
 */
machine_check:
  push %rax
  push %rcx
  push %rdx
  mov $0x17a, %ecx        /* IA32_MCG_STATUS */
  rdmsr
  test $1, %al
  jz 1f
  xor %eax, %eax
  xor %edx, %edx
  wrmsr
  incq CPU_CONTROL + CPU_MACHINE_CHECKS
  pop %rdx
  pop %rcx
  pop %rax
  iretq
1:
  pop %rdx
  pop %rcx
  pop %rax
  push $0
  push $18
  jmp exception

/* idle_while(rdi: word, esi: seen) */
  .globl idle_while
idle_while:
idle_check:
  /* docs/model, I2: compare. */
  cmp %esi, (%rdi)
  jne idle_awake
  /* I3: sleep. */
  hlt
idle_awake:
  ret

/*
 * One for each vector, 8 bytes apart: the vector is written down in apus_cpu.taken, and its
 * interrupt ended, so that it masks no other.
 */
  .balign 16
  .globl take_stubs
take_stubs:
  .set vector, 0
  .rept 256
  .balign 8
  .if vector < 128
  push $vector
  .else
  push $(vector - 256)
  .endif
  jmp take_interrupt
  .set vector, vector + 1
  .endr

take_interrupt:
  push %rax
  push %rcx
  push %rdx
  movzbl 24(%rsp), %eax
  bts %rax, CPU_CONTROL + CPU_TAKEN
  mov $0x80b, %ecx        /* x2APIC EOI */
  xor %eax, %eax
  xor %edx, %edx
  wrmsr
  pop %rdx
  pop %rcx
  pop %rax
  add $8, %rsp
  iretq

/* An interrupt that the guest has begun to handle: it stays in service. */
  .globl keep_interrupt
keep_interrupt:
  iretq

/*
 * Vector 18 while interrupts below 32 are taken: an interrupt, which the APIC then has in service,
 * or a machine check.
 */
  .globl take_interrupt_18
take_interrupt_18:
  push %rax
  push %rcx
  push %rdx
  mov $0x810, %ecx        /* x2APIC ISR, vectors 0 to 31 */
  rdmsr
  bt $18, %eax
  pop %rdx
  pop %rcx
  pop %rax
  jnc machine_check
  jmp take_stubs + 18 * 8

/* msr_try_read(edi: msr, rsi: value), msr_try_write(edi: msr, rsi: value) */
  .globl msr_try_read
msr_try_read:
  mov %edi, %ecx
  mov %rsi, %r8
  jmp 1f
msr_try_access:
1:
  rdmsr
  shl $32, %rdx
  mov %eax, %eax
  or %rdx, %rax
  mov %rax, (%r8)
  mov $1, %eax
  ret
try_write:
  wrmsr
  mov $1, %eax
  ret
msr_try_access_end:
msr_try_failed:
  xor %eax, %eax
  ret
  .globl msr_try_write
msr_try_write:
  mov %edi, %ecx
  mov %esi, %eax
  mov %rsi, %rdx
  shr $32, %rdx
  jmp try_write

/* tables_load(rdi: gdt, esi: limit, rdx: idt, ecx: task selector) */
  .globl tables_load
tables_load:
  sub $16, %rsp
  mov %si, (%rsp)
  mov %rdi, 2(%rsp)
  lgdt (%rsp)
  movw $0xfff, (%rsp)
  mov %rdx, 2(%rsp)
  lidt (%rsp)
  add $16, %rsp
  ltr %cx
  mov $0x10, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  pop %rax
  push $0x08
  push %rax
  lretq
