/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmx_enter(rdi: GuestRegisters *, rsi: NMIs seen, edx: launched) -> eax. Entries and
 * exits switch RSP, RIP and RFLAGS through the VMCS (SDM vol. 3, 27 and 28).
 *
 * An NMI in root mode means that somebody set a request, perhaps after the monitor looked
 * for requests; then this entry must not happen (docs/model). In the steps of docs/model the
 * monitor reads the count of NMIs (M1), takes and serves requests (M2, M3), and enters here
 * (M5) with that count. An NMI that is taken
 *   before M1               set its request before: M2 finds it;
 *   from M1 to the window   makes the comparison fail;
 *   in the window           finds RIP there, and its handler moves it to vmx_prevented (H1);
 *   from VMLAUNCH or VMRESUME on is the guest's exit (H3), after which an IRET lets the
 *                           next one in (M6).
 */
#include "offsets.h"

#define HOST_RSP 0x6c14
#define OUTCOME_PREVENTED 1
#define OUTCOME_FAILED 2

  .section .text.enter_vmx, "ax"
  .globl vmx_enter, vmx_exit, vmx_window, vmx_window_end, vmx_prevented
vmx_enter:
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  push %rdi
  mov $HOST_RSP, %eax
  vmwrite %rsp, %rax
  /* From here to vmx_window_end only RSP is what vmx_prevented needs. */
vmx_window:
  cmp %rsi, CPU_CONTROL + CPU_NMIS
  jne vmx_prevented
  test %edx, %edx         /* no instruction up to the branch changes the flags */
  mov REGISTER_RAX(%rdi), %rax
  mov REGISTER_RCX(%rdi), %rcx
  mov REGISTER_RDX(%rdi), %rdx
  mov REGISTER_RBX(%rdi), %rbx
  mov REGISTER_RBP(%rdi), %rbp
  mov REGISTER_RSI(%rdi), %rsi
  mov REGISTER_R8(%rdi), %r8
  mov REGISTER_R9(%rdi), %r9
  mov REGISTER_R10(%rdi), %r10
  mov REGISTER_R11(%rdi), %r11
  mov REGISTER_R12(%rdi), %r12
  mov REGISTER_R13(%rdi), %r13
  mov REGISTER_R14(%rdi), %r14
  mov REGISTER_R15(%rdi), %r15
  mov REGISTER_RDI(%rdi), %rdi
  jz 1f
  vmresume
  jmp vmx_window_end
1:
  vmlaunch
vmx_window_end:
  mov $OUTCOME_FAILED, %eax
  jmp 2f
vmx_prevented:
  mov $OUTCOME_PREVENTED, %eax
  jmp 2f

  .balign 16
vmx_exit:
  push %rdi
  mov 8(%rsp), %rdi
  mov %rax, REGISTER_RAX(%rdi)
  mov %rcx, REGISTER_RCX(%rdi)
  mov %rdx, REGISTER_RDX(%rdi)
  mov %rbx, REGISTER_RBX(%rdi)
  mov %rbp, REGISTER_RBP(%rdi)
  mov %rsi, REGISTER_RSI(%rdi)
  pop REGISTER_RDI(%rdi)
  mov %r8, REGISTER_R8(%rdi)
  mov %r9, REGISTER_R9(%rdi)
  mov %r10, REGISTER_R10(%rdi)
  mov %r11, REGISTER_R11(%rdi)
  mov %r12, REGISTER_R12(%rdi)
  mov %r13, REGISTER_R13(%rdi)
  mov %r14, REGISTER_R14(%rdi)
  mov %r15, REGISTER_R15(%rdi)
  xor %eax, %eax
2:
  pop %rdi
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret
