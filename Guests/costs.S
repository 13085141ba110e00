/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exit costs: with the time of each taken, then between two breakpoints for a debugger, for
 * their instructions.
 */
#include "guest.inc"

#define COST_SECTION .guests.costs, "aw"
#define COST_TIMED GUEST_COST_TIMED
#define COST_SECOND_CPU
#define costs_table guests_costs

  .section .guests.code.measure, "ax"
#include "costs.inc"

/* With events of a trace, which the stand-in has switched on. */
measure_traced:
  mov $1, %eax
  xor %ecx, %ecx
  COST cpuid-traced, 0, cpuid
  ret

/* Bochs' debugger stops at this instruction, and nothing else happens. */
.macro BREAKPOINT
  xchg %bx, %bx
.endm

/* Two passes over `measure`, the second one traced. */
.macro MEASURE measure:req
  mov $GUEST_COST_TIMED, %r14d
  call \measure
  mov $GUEST_COST_TRACED, %r14d
  BREAKPOINT
  call \measure
  BREAKPOINT
.endm

/* The stand-in has started a second vCPU. */
GUEST costs
  call guest_interrupts
  START_CONTROLLERS
  MEASURE measure
  END

GUEST costs_xapic
  call guest_interrupts
  mov $XAPIC, %ebx
  movl $0x1ff, 0xf0(%rbx)
  MEASURE measure_xapic
  END

GUEST costs_traced
  MEASURE measure_traced
  END

/* Has exits only when the stand-in kicks it, at either instruction of its loop. Result 0 counts. */
GUEST costs_kick
  COST_ENTRY kick, kicked_first
  COST_ENTRY kick, kicked_second
  mov $GUEST_COST_TIMED, %r14d
  mov $kicked_first, %edi
  xor %eax, %eax
  call store_time
  mov $kicked_second, %edi
  xor %eax, %eax
  call store_time
  BREAKPOINT
kicked_first:
  incq GUEST_RESULTS
kicked_second:
  jmp kicked_first
