/* SPDX-License-Identifier: Apache-2.0 */
/* Its page tables begin where there is no memory. */
#include "kernel.inc"

#define NOWHERE 0x7000000000

  mov $NOWHERE, %rax
  mov %rax, %cr3
1:
  jmp 1b
  END
