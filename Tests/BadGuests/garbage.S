/* SPDX-License-Identifier: Apache-2.0 */
/* Jumps to bytes that are no program: the same pseudo-random ones every time. */
#include "kernel.inc"

#define GARBAGE (LOADED + 0x50000)

  mov $GARBAGE, %edi
  mov $0x4000, %ecx
  mov $0x2545f4914f6cdd1d, %rax
  mov $6364136223846793005, %rbx
1:
  imul %rbx, %rax
  inc %rax
  mov %rax, %rdx
  shr $33, %rdx
  mov %edx, (%rdi)
  add $4, %edi
  loop 1b
  mov $GARBAGE, %eax
  jmp *%rax
  END
