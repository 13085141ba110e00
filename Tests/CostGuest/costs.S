/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exit costs, said on the first serial port as `apus-lab standalone` says it: for a client
 * of KVM's interface, with any hypervisor behind it. The shortest of several times counts: a timer of
 * the host may fall into the others.
 */
#include "kernel.inc"

#define COST_SECTION .text, 1
#define COST_TIMED 64
#define ROUNDS 12
#define APIC_ENABLED 0x800
#define NOWHERE 0xd0000000       /* where nothing is: the client answers that too */
#define LINE_STATUS (SERIAL + 5) /* a port that the client answers */
#define PM1_CONTROL 0x604
#define SLEEP_S5 0x3400

  jmp start
  .pushsection COST_SECTION
  .balign 64
costs_table:
  .popsection
#include "costs.inc"

.macro MEASURE measure:req
  movl $ROUNDS, rounds
771:
  mov $COST_TIMED, %r14d
  call \measure
  decl rounds
  jnz 771b
.endm

start:
  ALL_VECTORS surprised
  /* By way of a disabled APIC: the client may have started it in x2APIC mode. */
  mov $IA32_APIC_BASE, %ecx
  rdmsr
  and $~APIC_ENABLED_X2APIC, %eax
  wrmsr
  or $APIC_ENABLED, %eax
  wrmsr
  mov $XAPIC, %ebx
  movl $0x1ff, 0xf0(%rbx)
  START_CONTROLLERS
  MEASURE measure_xapic
  ENABLE_X2APIC
  MEASURE measure
  MEASURE measure_client
  mov $costs_table, %ebx
1:
  cmpq $0, 16(%rbx)
  je 2f
  call print
2:
  add $GUEST_COST_SIZE, %ebx
  cmp $table_end, %ebx
  jb 1b
power_off:
  mov $PM1_CONTROL, %dx
  mov $SLEEP_S5, %ax
  out %ax, %dx
3:
  hlt
  jmp 3b

surprised:
  lea surprise(%rip), %rsi
  call print_text
  jmp power_off

measure_client:
  mov $LINE_STATUS, %edx
  COST port-client, 0, in %dx, %al
  mov $NOWHERE, %ebx
  COST memory-client, 0, mov (%rbx), %eax
  ret

/* `cost NAME at 0x0: TICKS for ITERATIONS`: the entry RBX. */
print:
  lea line_start(%rip), %rsi
  call print_text
  lea 24(%rbx), %rsi
  call print_text
  lea line_place(%rip), %rsi
  call print_text
  mov 8(%rbx), %rax
  call print_number
  lea line_iterations(%rip), %rsi
  call print_text
  mov 16(%rbx), %rax
  call print_number
  lea line_end(%rip), %rsi

/* RSI: text that ends with 0. */
print_text:
  mov $SERIAL, %edx
1:
  lodsb
  test %al, %al
  jz 2f
  out %al, %dx
  jmp 1b
2:
  ret

/* RAX, in decimal. */
print_number:
  xor %edx, %edx
  mov $10, %ecx
  div %rcx
  push %rdx
  test %rax, %rax
  jz 1f
  call print_number
1:
  pop %rax
  add $'0', %al
  mov $SERIAL, %edx
  out %al, %dx
  ret

rounds:
  .long 0
line_start:
  .asciz "cost "
line_place:
  .asciz " at 0x0: "
line_iterations:
  .asciz " for "
line_end:
  .asciz "\n"
surprise:
  .asciz "an exception or interrupt\n"

  .pushsection COST_SECTION
  .balign 16
table_end:
kernel_end:
  .popsection
