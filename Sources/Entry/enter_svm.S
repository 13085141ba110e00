/* SPDX-License-Identifier: Apache-2.0 */
/*
 * svm_enter(rdi: guest VMCB, rsi: host VMCB, rdx: GuestRegisters *), addresses
 * of VMCBs physical. VMRUN switches RAX, RSP, RIP and RFLAGS through the VMCB; VMLOAD and
 * VMSAVE switch FS, GS, TR, LDTR and the system-call MSRs (APM vol. 2, 15.5 and 15.14).
 */
#include "offsets.h"

  .section .text.enter_svm, "ax"
  .globl svm_enter
svm_enter:
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  push %rsi
  push %rdx
  mov %rdi, %rax
  mov REGISTER_RCX(%rdx), %rcx
  mov REGISTER_RBX(%rdx), %rbx
  mov REGISTER_RBP(%rdx), %rbp
  mov REGISTER_RSI(%rdx), %rsi
  mov REGISTER_RDI(%rdx), %rdi
  mov REGISTER_R8(%rdx), %r8
  mov REGISTER_R9(%rdx), %r9
  mov REGISTER_R10(%rdx), %r10
  mov REGISTER_R11(%rdx), %r11
  mov REGISTER_R12(%rdx), %r12
  mov REGISTER_R13(%rdx), %r13
  mov REGISTER_R14(%rdx), %r14
  mov REGISTER_R15(%rdx), %r15
  mov REGISTER_RDX(%rdx), %rdx

  vmload %rax
  /* docs/model, M5: GIF is 0, so an NMI that came since M1 exits at once; then M6. */
  vmrun %rax
  vmsave %rax

  push %rdx
  mov 8(%rsp), %rdx
  mov %rcx, REGISTER_RCX(%rdx)
  mov %rbx, REGISTER_RBX(%rdx)
  mov %rbp, REGISTER_RBP(%rdx)
  mov %rsi, REGISTER_RSI(%rdx)
  mov %rdi, REGISTER_RDI(%rdx)
  mov %r8, REGISTER_R8(%rdx)
  mov %r9, REGISTER_R9(%rdx)
  mov %r10, REGISTER_R10(%rdx)
  mov %r11, REGISTER_R11(%rdx)
  mov %r12, REGISTER_R12(%rdx)
  mov %r13, REGISTER_R13(%rdx)
  mov %r14, REGISTER_R14(%rdx)
  mov %r15, REGISTER_R15(%rdx)
  pop %rcx
  mov %rcx, REGISTER_RDX(%rdx)

  pop %rdx
  pop %rax
  vmload %rax
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret
