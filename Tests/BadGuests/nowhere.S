/* SPDX-License-Identifier: Apache-2.0 */
/* Jumps to an address that is mapped, but to no memory. */
#include "kernel.inc"

#define NOWHERE 0xd0000000

  mov $NOWHERE, %eax
  jmp *%rax
  END
