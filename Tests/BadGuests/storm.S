/* SPDX-License-Identifier: Apache-2.0 */
/* Its timer expires again before it has done anything; more often than this no emulator gets on. */
#include "kernel.inc"

  ALL_VECTORS tick
  ENABLE_X2APIC
  START_TIMER 20000
  sti
1:
  jmp 1b

tick:
  WRITE_MSR X2APIC_EOI, 0
  iretq
  END
