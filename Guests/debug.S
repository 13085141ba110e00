/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that a debugger steps through and stops. */
#include "guest.inc"

/*
 * Results 0 to 4: where its instructions are. 5 and 6: what it found in DR0 and DR7 after it had
 * written them. 7: its flags after all of it.
 */
GUEST debugged
  call guest_setup
  .irp number, 0, 1, 2, 3, 4
  lea \number\()0f(%rip), %rax
  RESULT \number, %rax
  .endr
  mov $0x1234, %eax
  mov %rax, %dr0
  mov $0x401, %eax
  mov %rax, %dr7
  STEP
00:
  nop
10:
  xor %eax, %eax
  cpuid
20:
  mov %dr0, %rbx
  RESULT 5, %rbx
  mov %dr7, %rbx
  RESULT 6, %rbx
30:
  nop
  lea 4f(%rip), %r15
40:
  int3
4:
  xor %r15d, %r15d
  pushfq
  pop %rax
  RESULT 7, %rax
  xor %eax, %eax
  mov %rax, %dr7
  END
