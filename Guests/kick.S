/* SPDX-License-Identifier: Apache-2.0 */
/* Guests that give nothing away by themselves: only a kick gets their CPU back. */
#include "guest.inc"

/* With interrupts off; result 0 counts. */
GUEST spin
  cli
1:
  incq GUEST_RESULTS
  jmp 1b

GUEST sleep
  cli
1:
  incq GUEST_RESULTS
  hlt
  jmp 1b

/* Every instruction raises #DB: TF is on again after each handler (CVE-2015-8104). */
GUEST debug_loop
  call guest_setup
  lea 1f(%rip), %r15
  pushfq
  orq $0x100, (%rsp)
  popfq
1:
  incq GUEST_RESULTS
  jmp 1b
