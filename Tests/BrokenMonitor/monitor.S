/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A monitor that serves nothing, and breaks in the way that MODE names: the driver has to get
 * along with each of them. Built once for every mode.
 */
#include "mailbox.h"
#include "offsets.h"

#define never_arrives 1
#define never_ready 2
#define unfit 3
#define stops_early 4   /* with a fault, before it is ready */
#define ignores_bind 5
#define ignores_calls 6
#define ignores_run 7
#define stops 8         /* with a fault, in KVM_RUN, and after a machine check */
#define ignores_park 9  /* but a second start helps */
#define never_parks 10

#define IA32_APIC_BASE 0x1b
#define X2APIC_ICR 0x830
#define STARTS (CPU_PRIVATE + 0xf00)   /* how often this CPU was started */
#define APIC_BASE (CPU_PRIVATE + 0xf08) /* as Linux left it */

  .section .rodata.apus_header, "a"
  .long 0x53555041         /* APUS_IMAGE_MAGIC */
  .long 2                  /* APUS_ABI_VERSION */
  .quad trampoline
  .quad trampoline_end - trampoline
  .quad rules, 1
  .quad msrs, 1
  .quad features, 1
  .quad 1                  /* IA32_MCG_CAP: one bank */
  .balign 8
features:
  .long 0x17b, 0
  .quad 0, 0
rules:
  .long 0, 0, 0
  .long -1, -1, -1, -1
  .long 0, 0, 0, 0
msrs:
  .long 0x10

  .section .text.entry, "ax"
  .globl _start
_start:
  call prepare_interrupts
  mov $CPU_CONTROL, %ebx
#if MODE == never_arrives
  jmp hang
#endif
  movl $ARRIVED, CPU_STATE(%rbx)
1:
  pause
  cmpl $0, CPU_PROCEED(%rbx)
  je 1b
#if MODE == never_ready
  jmp hang
#elif MODE == unfit
  movl $UNFIT_NO_NESTED_PAGING, CPU_REASON(%rbx)
  movl $UNFIT, CPU_STATE(%rbx)
  jmp sleep
#elif MODE == stops_early
  jmp stop
#endif
  call enable_x2apic
  incl STARTS
  mov CPU_DONE_SEQUENCE(%rbx), %esi
  movl $READY, CPU_STATE(%rbx)

serve:
  pause
  mov CPU_COMMAND_SEQUENCE(%rbx), %eax
  cmp %esi, %eax
  je serve
  mov %eax, %esi
  mov CPU_COMMAND(%rbx), %edx
#if MODE == ignores_bind
  cmp $BIND, %edx
  je hang
#elif MODE == ignores_calls
  cmp $VCPU, %edx
  je hang
#elif MODE == ignores_run
  cmp $RUN, %edx
  je hang
#elif MODE == stops
  cmp $RUN, %edx
  je stop
#elif MODE == ignores_park
  cmp $PARK, %edx
  jne 2f
  cmpl $1, STARTS
  je hang
2:
#elif MODE == never_parks
  cmp $PARK, %edx
  je hang
#endif
  movq $0, CPU_RESULT(%rbx)
  mov %esi, CPU_DONE_SEQUENCE(%rbx)
  call ring
  cmp $PARK, %edx
  jne serve
  call restore_apic
  movl $PARKED, CPU_STATE(%rbx)
  jmp sleep

stop:
  incq CPU_MACHINE_CHECKS(%rbx)
  movq $13, CPU_FAULT(%rbx)
  movl $STOPPED, CPU_STATE(%rbx)
#if MODE != stops_early    /* which has no x2APIC yet, and is waited for anyway */
  call ring
#endif
sleep:
  cli
  hlt
  jmp sleep
hang:
  pause
  jmp hang

ring:
  push %rdx
  mov CPU_DOORBELL(%rbx), %eax
  mov CPU_DOORBELL + 4(%rbx), %edx
  mov $X2APIC_ICR, %ecx
  wrmsr
  pop %rdx
  ret

enable_x2apic:
  mov $IA32_APIC_BASE, %ecx
  rdmsr
  cmpl $0, STARTS
  jne 1f
  mov %eax, APIC_BASE
1:
  or $0x400, %eax
  wrmsr
  ret

/* From x2APIC to xAPIC there is only the way through "disabled". */
restore_apic:
  mov $IA32_APIC_BASE, %ecx
  mov APIC_BASE, %eax
  xor %edx, %edx
  test $0x400, %eax
  jnz 1f
  and $~0xc00, %eax
  wrmsr
  mov APIC_BASE, %eax
1:
  wrmsr
  ret

/* NMIs are to be ignored, and nothing else may happen. */
prepare_interrupts:
  mov $CPU_PRIVATE, %edi
  lea nmi(%rip), %rax
  mov %ax, 32(%rdi)
  movw $0x8, 34(%rdi)
  movw $0x8e00, 36(%rdi)
  shr $16, %eax
  mov %ax, 38(%rdi)
  movq $0, 40(%rdi)
  movw $0xfff, 0x800(%rdi)
  mov %rdi, 0x802(%rdi)
  lidt 0x800(%rdi)
  /* The trampoline's descriptors vanish with its page. */
  movq $0, 0x900(%rdi)
  movabs $0x00af9b000000ffff, %rax
  mov %rax, 0x908(%rdi)
  movabs $0x00cf93000000ffff, %rax
  mov %rax, 0x910(%rdi)
  movw $23, 0x920(%rdi)
  lea 0x900(%rdi), %rax
  mov %rax, 0x922(%rdi)
  lgdt 0x920(%rdi)
  ret

nmi:
  iretq

#include "trampoline.S"
