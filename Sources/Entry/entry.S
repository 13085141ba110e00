/* SPDX-License-Identifier: Apache-2.0 */
/* Where a CPU arrives from the trampoline: long mode, the monitor's tables, its own stack. */

  .section .text.entry, "ax"
  .globl _start
_start:
  xor %ebp, %ebp
  call monitor_main
1:
  cli
  hlt
  jmp 1b
