/* SPDX-License-Identifier: Apache-2.0 */
/* A good one, to run beside the others: a line of text at every tick of its timer, for ever. */
#include "kernel.inc"

  ALL_VECTORS tick
  ENABLE_X2APIC
  START_TIMER 50000000
1:
  sti
  hlt
  jmp 1b

tick:
  mov $SERIAL, %edx
  lea beat(%rip), %rsi
  mov $(beat_end - beat), %ecx
  rep outsb
  WRITE_MSR X2APIC_EOI, 0
  iretq
beat:
  .ascii "beat\n"
beat_end:
  END
