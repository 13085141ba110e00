/* SPDX-License-Identifier: Apache-2.0 */
/* The memory routines that compiled code may call: REP MOVSB and STOSB. */

  .section .text.memory, "ax"

  .globl memcpy
memcpy:
  mov %rdi, %rax
  mov %rdx, %rcx
  rep movsb
  ret

  .globl memmove
memmove:
  mov %rdi, %rax
  mov %rdx, %rcx
  mov %rdi, %r8
  sub %rsi, %r8
  cmp %rdx, %r8
  jb 1f               /* the end of the source lies in the target: backwards */
  rep movsb
  ret
1:
  lea -1(%rdi, %rdx), %rdi
  lea -1(%rsi, %rdx), %rsi
  std
  rep movsb
  cld
  ret

  .globl memset
memset:
  mov %rdi, %r8
  mov %esi, %eax
  mov %rdx, %rcx
  rep stosb
  mov %r8, %rax
  ret
