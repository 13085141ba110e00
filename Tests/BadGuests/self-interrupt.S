/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts itself from the handler of its own interrupt. */
#include "kernel.inc"

  ALL_VECTORS again
  ENABLE_X2APIC
  WRITE_MSR X2APIC_SELF_IPI, VECTOR
  sti
1:
  jmp 1b

again:
  WRITE_MSR X2APIC_SELF_IPI, VECTOR
  WRITE_MSR X2APIC_EOI, 0
  iretq
  END
