/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one instruction of a test on the processor itself: real_processor.h. */
	.intel_syntax noprefix

	.set FLAGS, 128
	.set VECTORS, 136

	.bss
	.balign 8
saved_stack:	.skip 8
saved_state:	.skip 8
saved_rdi:	.skip 8
entry:			.skip 8

	.text
	.globl run_on_processor, real_processor_return
	.type run_on_processor, @function
run_on_processor:
	push rbx
	push rbp
	push r12
	push r13
	push r14
	push r15
	mov [rip + saved_stack], rsp
	mov [rip + saved_state], rdi
	mov [rip + entry], rsi
	movups xmm0, [rdi + VECTORS + 0]
	movups xmm1, [rdi + VECTORS + 16]
	movups xmm2, [rdi + VECTORS + 32]
	movups xmm3, [rdi + VECTORS + 48]
	movups xmm4, [rdi + VECTORS + 64]
	movups xmm5, [rdi + VECTORS + 80]
	movups xmm6, [rdi + VECTORS + 96]
	movups xmm7, [rdi + VECTORS + 112]
	movups xmm8, [rdi + VECTORS + 128]
	movups xmm9, [rdi + VECTORS + 144]
	movups xmm10, [rdi + VECTORS + 160]
	movups xmm11, [rdi + VECTORS + 176]
	movups xmm12, [rdi + VECTORS + 192]
	movups xmm13, [rdi + VECTORS + 208]
	movups xmm14, [rdi + VECTORS + 224]
	movups xmm15, [rdi + VECTORS + 240]
	push qword ptr [rdi + 128]
	popfq
	mov rax, [rdi + 0]
	mov rcx, [rdi + 8]
	mov rdx, [rdi + 16]
	mov rbx, [rdi + 24]
	mov rsp, [rdi + 32]
	mov rbp, [rdi + 40]
	mov rsi, [rdi + 48]
	mov r8, [rdi + 64]
	mov r9, [rdi + 72]
	mov r10, [rdi + 80]
	mov r11, [rdi + 88]
	mov r12, [rdi + 96]
	mov r13, [rdi + 104]
	mov r14, [rdi + 112]
	mov r15, [rdi + 120]
	mov rdi, [rdi + 56]
	jmp [rip + entry]
way_back:
	mov [rip + saved_rdi], rdi
	mov rdi, [rip + saved_state]
	mov [rdi + 0], rax
	mov [rdi + 8], rcx
	mov [rdi + 16], rdx
	mov [rdi + 24], rbx
	mov [rdi + 32], rsp
	mov [rdi + 40], rbp
	mov [rdi + 48], rsi
	mov [rdi + 64], r8
	mov [rdi + 72], r9
	mov [rdi + 80], r10
	mov [rdi + 88], r11
	mov [rdi + 96], r12
	mov [rdi + 104], r13
	mov [rdi + 112], r14
	mov [rdi + 120], r15
	mov rax, [rip + saved_rdi]
	mov [rdi + 56], rax
	mov rsp, [rip + saved_stack]
	pushfq
	pop qword ptr [rdi + 128]
	cld
	movups [rdi + VECTORS + 0], xmm0
	movups [rdi + VECTORS + 16], xmm1
	movups [rdi + VECTORS + 32], xmm2
	movups [rdi + VECTORS + 48], xmm3
	movups [rdi + VECTORS + 64], xmm4
	movups [rdi + VECTORS + 80], xmm5
	movups [rdi + VECTORS + 96], xmm6
	movups [rdi + VECTORS + 112], xmm7
	movups [rdi + VECTORS + 128], xmm8
	movups [rdi + VECTORS + 144], xmm9
	movups [rdi + VECTORS + 160], xmm10
	movups [rdi + VECTORS + 176], xmm11
	movups [rdi + VECTORS + 192], xmm12
	movups [rdi + VECTORS + 208], xmm13
	movups [rdi + VECTORS + 224], xmm14
	movups [rdi + VECTORS + 240], xmm15
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbp
	pop rbx
	ret
	.size run_on_processor, . - run_on_processor

	.section .data.rel.ro, "aw"
	.balign 8
real_processor_return:
	.quad way_back

	.section .note.GNU-stack, "", @progbits
