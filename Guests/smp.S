/* SPDX-License-Identifier: Apache-2.0 */
/* Two CPUs: INIT and start-up between them, then interrupts both ways. */
#include "guest.inc"

#define AP_PAGE 0xb000

GUEST start_up
  call guest_setup
  sti
  lea ap_start(%rip), %rsi
  mov $AP_PAGE, %edi
  mov $(ap_start_end - ap_start), %ecx
  rep movsb
  mov $X2APIC_ICR, %ecx
  mov $1, %edx
  mov $0x4500, %eax
  wrmsr
  mov $(0x4600 | (AP_PAGE >> 12)), %eax
  wrmsr
1:
  pause
  cmpl $1, GUEST_RESULTS
  jne 1b
  mov $X2APIC_ICR, %ecx
  mov $1, %edx
  mov $0x4057, %eax
  wrmsr
  AWAIT 0x58, 1
  /* To all but itself. */
  mov $X2APIC_ICR, %ecx
  xor %edx, %edx
  mov $0xc4059, %eax
  wrmsr
  AWAIT 0x5a, 1
  END

  .code16
ap_start:
  cli
  xor %ax, %ax
  mov %ax, %ds
  lgdtl %cs:(ap_gdt_pointer - ap_start)
  mov $1, %eax
  mov %eax, %cr0
  ljmpl $GUEST_CODE32, $ap_protected_mode
  .balign 8
ap_gdt_pointer:
  .word 0x1f
  .long GUEST_GDT
ap_start_end:

  .code32
ap_protected_mode:
  mov $GUEST_DATA, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  mov $GUEST_STACK - 0x800, %esp
  mov $0x20, %eax
  mov %eax, %cr4
  mov $GUEST_PAGE_TABLES, %eax
  mov %eax, %cr3
  mov $0xc0000080, %ecx
  mov $0x100, %eax
  xor %edx, %edx
  wrmsr
  mov $0x80000001, %eax
  mov %eax, %cr0
  ljmpl $GUEST_CODE64, $ap_long_mode

  .code64
ap_long_mode:
  mov $IA32_APIC_BASE, %ecx
  rdmsr
  or $0x400, %eax
  wrmsr
  call guest_setup
  mov $X2APIC_ID, %ecx
  rdmsr
  RESULT 1, %rax
  movl $1, GUEST_RESULTS
  AWAIT 0x57, 1
  mov $X2APIC_ICR, %ecx
  xor %edx, %edx
  mov $0x4058, %eax
  wrmsr
  AWAIT 0x59, 1
  mov $X2APIC_ICR, %ecx
  xor %edx, %edx
  mov $0x405a, %eax
  wrmsr
  END
