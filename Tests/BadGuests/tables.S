/* SPDX-License-Identifier: Apache-2.0 */
/* Fills its page tables with addresses of what is no memory, and uses them. */
#include "kernel.inc"

#define ENTRIES (6 * 512)
#define NOWHERE_PRESENT_WRITABLE 0x7000000003 /* far above its memory */

  mov %cr3, %rdi
  mov %rdi, %rbx
  mov $ENTRIES, %ecx
  mov $NOWHERE_PRESENT_WRITABLE, %rax
  rep stosq
  mov %rbx, %cr3
1:
  jmp 1b
  END
