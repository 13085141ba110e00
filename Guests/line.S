/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupt lines: by the I/O APIC, by the PICs, and the PIT behind one of them. */
#include "guest.inc"

/* Pin 4, edge: the driver answers it directly, once the PICs do not listen. */
GUEST line_direct
  call guest_setup
  WRITE_PORT PIC + 1, 0xff
  WRITE_IOAPIC 4, 0x60
  movl $1, GUEST_RESULTS
  AWAIT 0x60, 3
  WRITE_IOAPIC 4, (LVT_MASKED | 0x60)
  STEP
  END

/* Pin 5, level: its EOI exits, and that of an edge afterwards does not. */
GUEST line_level
  call guest_setup
  WRITE_PORT PIC + 1, 0xff
  lea 1f(%rip), %rax
  mov %rax, GUEST_HOOK
  WRITE_IOAPIC 5, 0x8061
  movl $1, GUEST_RESULTS
  AWAIT 0x61, 2
  movq $0, GUEST_HOOK
  STEP
  WRITE_MSR X2APIC_SELF_IPI, 0x62
  AWAIT 0x62, 1
  END
  /* The stand-in lowers the line now, as a device does when its register is read. */
1:
  STEP
  ret

/* Line 3 by the PIC and LINT0 as ExtINT; once at once, once after IF was 0. */
GUEST line_pic
  call guest_setup
  lea end_pic_interrupt(%rip), %rax
  mov %rax, GUEST_HOOK
  START_PICS
  WRITE_PORT PIC + 1, 0xf7
  WRITE_MSR X2APIC_LVT_LINT0, 0x700
  movl $1, GUEST_RESULTS
  AWAIT 0x33, 1
  cli
  STEP
  movl $2, GUEST_RESULTS
1:
  pause
  cmpl $0, GUEST_PARAMETER
  je 1b
  mov GUEST_INTERRUPTS + 8 * 0x33, %rax
  RESULT 1, %rax
  AWAIT 0x33, 2
  END

end_pic_interrupt:
  mov $0x20, %al
  out %al, $PIC
  ret

/* The PIT's channel 0 as rate generator, on line 0. */
.macro START_PIT low=0xa9, high=0x04
  lea end_pic_interrupt(%rip), %rax
  mov %rax, GUEST_HOOK
  START_PICS
  WRITE_PORT PIC + 1, 0xfe
  WRITE_MSR X2APIC_LVT_LINT0, 0x700
  WRITE_PORT 0x43, 0x34
  WRITE_PORT 0x40, \low
  WRITE_PORT 0x40, \high
.endm

GUEST pit
  call guest_setup
  START_PIT
  AWAIT 0x30, 3
  END

/*
 * The same for a guest that never sleeps. Results: the TSC before the PIT was started, at the first
 * interrupt and at the third.
 */
GUEST pit_spin
  call guest_setup
  call read_tsc
  RESULT 0, %rax
  START_PIT
  sti
1:
  pause
  cmpq $1, GUEST_INTERRUPTS + 8 * 0x30
  jb 1b
  call read_tsc
  RESULT 1, %rax
1:
  pause
  cmpq $3, GUEST_INTERRUPTS + 8 * 0x30
  jb 1b
  call read_tsc
  RESULT 2, %rax
  END

/* An interrupt each 1.7 µs is more than anybody can serve: the guest comes to its end all the same. */
GUEST pit_storm
  call guest_setup
  START_PIT 2, 0
  mov $100000, %esi
1:
  dec %esi
  jnz 1b
  END

/* Starts and stops it, as fast as it can. Results: the TSC before and after. */
GUEST pit_restarts
  call guest_setup
  WRITE_PORT 0x43, 0x30
  call read_tsc
  RESULT 0, %rax
  mov $50, %ebx
1:
  WRITE_PORT 0x40, 0xff
  WRITE_PORT 0x40, 0xff
  dec %ebx
  jnz 1b
  call read_tsc
  RESULT 1, %rax
  END

read_tsc:
  rdtsc
  shl $32, %rdx
  or %rdx, %rax
  ret
