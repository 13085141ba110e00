/* SPDX-License-Identifier: Apache-2.0 */
#include "latency_guest.h"
#include "../../Guests/machine.inc"

#define VECTOR 0x40
#define KERNEL_CODE 0x10
#define DIVIDE_BY_1 0xb
#define PM1_CONTROL 0x604
#define SLEEP_S5 0x3400
#define CALIBRATION 16 /* intervals */

/* Registers of the whole guest: RBX the area, R12 the interval, R13 the next moment, R14 count, R15 the TSC in the
 * timer's handler or 0. */

.macro READ_TSC
  rdtsc
  shl $32, %rdx
  or %rdx, %rax
.endm

  .section .rodata, "a"
  .globl latency_guest_start, latency_guest_end
  .balign 16
latency_guest_start:
  mov $LATENCY_STACK, %esp
  mov $LATENCY_AREA, %ebx

  /* Every vector but the timer's leads to `broken`. */
  mov $LATENCY_TABLE, %edi
  xor %ecx, %ecx
1:
  lea broken(%rip), %rax
  cmp $VECTOR, %ecx
  jne 2f
  lea woken(%rip), %rax
2:
  mov %ax, (%rdi)
  movw $KERNEL_CODE, 2(%rdi)
  movw $0x8e00, 4(%rdi)
  shr $16, %rax
  mov %ax, 6(%rdi)
  shr $16, %rax
  mov %eax, 8(%rdi)
  movl $0, 12(%rdi)
  add $16, %edi
  inc %ecx
  cmp $256, %ecx
  jne 1b
  movw $(256 * 16 - 1), -16(%rsp)
  movq $LATENCY_TABLE, -14(%rsp)
  lidt -16(%rsp)

  WRITE_MSR X2APIC_SVR, 0x1ff
  WRITE_MSR X2APIC_TPR, 0
  WRITE_MSR X2APIC_TIMER_DIVIDE, DIVIDE_BY_1
  mov 0x18(%rbx), %r12
  xor %r14d, %r14d

  mov $1, %eax
  xor %ecx, %ecx
  push %rbx
  cpuid
  pop %rbx
  bt $24, %ecx            /* TSC-deadline. SDM vol. 2, CPUID */
  jnc one_shot
  WRITE_MSR X2APIC_LVT_TIMER, LVT_TSC_DEADLINE + VECTOR
  mfence                  /* SDM vol. 3, 11.5.4.1 */
  movq $LATENCY_DEADLINE, 0x08(%rbx)
  jmp begin

one_shot:
  /* How fast it counts beside the TSC. */
  WRITE_MSR X2APIC_LVT_TIMER, LVT_MASKED + VECTOR
  mov $X2APIC_TIMER_INITIAL, %ecx
  mov $0xffffffff, %eax
  xor %edx, %edx
  wrmsr
  READ_TSC
  mov %rax, %rsi
  imul $CALIBRATION, %r12, %rdi
3:
  READ_TSC
  sub %rsi, %rax
  cmp %rdi, %rax
  jb 3b
  mov %rax, 0x30(%rbx)
  mov $X2APIC_TIMER_CURRENT, %ecx
  rdmsr
  not %eax                /* 0xffffffff less it */
  mov %rax, 0x28(%rbx)
  WRITE_MSR X2APIC_TIMER_INITIAL, 0
  WRITE_MSR X2APIC_LVT_TIMER, VECTOR
  movq $LATENCY_ONE_SHOT, 0x08(%rbx)

begin:
  movq $LATENCY_MEASURING, (%rbx)
  READ_TSC
  lea (%rax, %r12), %r13
again:
  cmpq $0, 0x20(%rbx)
  jne done
  xor %r15d, %r15d
  cmpq $LATENCY_DEADLINE, 0x08(%rbx)
  jne 4f
  mov $IA32_TSC_DEADLINE, %ecx
  mov %r13d, %eax
  mov %r13, %rdx
  shr $32, %rdx
  wrmsr
  jmp 5f
4:
  READ_TSC
  mov %r13, %rcx
  xor %edx, %edx
  sub %rax, %rcx
  cmovc %rdx, %rcx        /* over already */
  mov %rcx, %rax
  mulq 0x28(%rbx)
  divq 0x30(%rbx)
  inc %rax                /* not before its moment */
  mov $X2APIC_TIMER_INITIAL, %ecx
  xor %edx, %edx
  wrmsr
5:
  sti
  hlt
  cli
  test %r15, %r15
  jz 5b
  /* By how much too late; what does not fit is the most that does. */
  sub %r13, %r15
  jns 6f
  xor %r15d, %r15d
6:
  mov $0xffffffff, %eax
  cmp %rax, %r15
  cmova %rax, %r15
  mov %r14d, %eax
  and $(LATENCY_SAMPLES - 1), %eax
  mov %r15d, LATENCY_SAMPLES_OFFSET(%rbx, %rax, 4)
  inc %r14
  mov %r14, 0x10(%rbx)
  add %r12, %r13
  /* A moment that is over already is not waited for: the next is counted from now. */
  READ_TSC
  lea (%rax, %r12), %rcx
  shr $2, %r12
  add %r12, %rax
  mov 0x18(%rbx), %r12
  cmp %rax, %r13
  cmovb %rcx, %r13
  jmp again

done:
  movq $LATENCY_DONE, (%rbx)
7:
  mov $PM1_CONTROL, %dx
  mov $SLEEP_S5, %ax
  out %ax, %dx
  hlt
  jmp 7b

broken:
  movq $LATENCY_BROKEN, LATENCY_AREA
  jmp 7b

woken:
  push %rax
  push %rcx
  push %rdx
  READ_TSC
  mov %rax, %r15
  mov $X2APIC_EOI, %ecx
  xor %eax, %eax
  xor %edx, %edx
  wrmsr
  pop %rdx
  pop %rcx
  pop %rax
  iretq
latency_guest_end:

  .section .note.GNU-stack, "", @progbits
