/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory routines that compiled code may call. Words first: an emulator takes as long for
 * a byte as for eight of them.
 */

  .section .text.memory, "ax"

  .globl memcpy
memcpy:
  mov %rdi, %rax
copy_forwards:
  mov %rdx, %rcx
  shr $3, %rcx
  rep movsq
  mov %edx, %ecx
  and $7, %ecx
  rep movsb
  ret

  .globl memmove
memmove:
  mov %rdi, %rax
  mov %rdi, %r8
  sub %rsi, %r8
  cmp %rdx, %r8
  jae copy_forwards   /* else the end of the source lies in the target: backwards */
  mov %rdx, %rcx
  lea -1(%rdi, %rdx), %rdi
  lea -1(%rsi, %rdx), %rsi
  std
  rep movsb
  cld
  ret

  .globl memset
memset:
  mov %rdi, %r8
  movzbl %sil, %eax
  mov $0x0101010101010101, %rcx
  imul %rcx, %rax
  mov %rdx, %rcx
  shr $3, %rcx
  rep stosq
  mov %edx, %ecx
  and $7, %ecx
  rep stosb
  mov %r8, %rax
  ret
