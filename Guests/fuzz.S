/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random privileged operations: what each of them does to the guest is the guest's own
 * business, and the next one follows. The parameter is the seed; the word after it says how
 * many; result 0 counts. R13 counts down, R14 is the generator (xorshift, 64 bits), R15 where
 * a fault goes on.
 */
#include "guest.inc"

GUEST fuzz
  mov GUEST_PARAMETER, %r14
  mov GUEST_PARAMETER + 8, %r13
  call guest_setup
  lea next(%rip), %r15
next:
  mov $GUEST_STACK, %esp
  cld
  dec %r13
  js finished
  lock incq GUEST_RESULTS
  mov %r14, %rax
  shl $13, %rax
  xor %rax, %r14
  mov %r14, %rax
  shr $7, %rax
  xor %rax, %r14
  mov %r14, %rax
  shl $17, %rax
  xor %rax, %r14
  /* RBX, RSI, RDI: random bits for the operation. */
  mov %r14, %rbx
  shr $8, %rbx
  mov %r14, %rsi
  shr $24, %rsi
  mov %r14, %rdi
  shr $40, %rdi
  mov %r14d, %eax
  and $15, %eax
  lea operations(%rip), %rcx
  movslq (%rcx, %rax, 4), %rax
  add %rcx, %rax
  jmp *%rax

finished:
  END

  .balign 4
operations:
  .long read_msr - operations, write_msr - operations, write_apic - operations
  .long input - operations, output - operations, read_memory - operations
  .long write_memory - operations, ask_cpuid - operations, flip_control - operations
  .long flip_efer - operations, write_debug - operations, extended_control - operations
  .long command - operations, virtualisation - operations, software_interrupt - operations
  .long interrupts - operations

/* ECX: an MSR, half of them such as exist. */
pick_msr:
  mov %ebx, %eax
  and $31, %eax
  lea msrs(%rip), %rcx
  mov (%rcx, %rax, 4), %ecx
  test $32, %ebx
  jz 1f
  mov %esi, %eax
  and $0xf, %eax
  add %eax, %ecx
1:
  ret
msrs:
  .long 0x10, 0x1b, 0x3a, 0x48, 0x79, 0x8b, 0xc1, 0x174
  .long 0x179, 0x17a, 0x186, 0x1a0, 0x1d9, 0x200, 0x250, 0x277
  .long 0x2ff, 0x345, 0x38f, 0x400, 0x480, 0x6e0, 0x800, 0x830
  .long 0xc0000080, 0xc0000081, 0xc0000100, 0xc0010000, 0xc0010010, 0xc0010114
  .long 0x4b564d00, 0x40000000

read_msr:
  call pick_msr
  rdmsr
  jmp next
write_msr:
  call pick_msr
  mov %esi, %eax
  mov %edi, %edx
  test $64, %ebx
  jz 1f
  xor %edx, %edx
1:
  wrmsr
  jmp next
write_apic:
  mov %ebx, %ecx
  and $0x3f, %ecx
  add $0x800, %ecx
  mov %esi, %eax
  xor %edx, %edx
  wrmsr
  jmp next

/* DX: a port, most of them the monitor's own; never those that end a guest. */
pick_port:
  mov %ebx, %eax
  and $15, %eax
  lea ports(%rip), %rcx
  movzwl (%rcx, %rax, 2), %edx
  cmp $0xffff, %edx
  jne 1f
  mov %si, %dx
  and $0x3ff, %edx
1:
  ret
ports:
  .word 0x20, 0x21, 0xa0, 0xa1, 0x40, 0x41, 0x42, 0x43
  .word 0x61, 0x4d0, 0x4d1, 0x20, 0x43, 0x40, 0x70, 0xffff
input:
  call pick_port
  test $16, %ebx
  jnz 1f
  in %dx, %al
  jmp next
1:
  in %dx, %eax
  jmp next
output:
  call pick_port
  mov %esi, %eax
  test $32, %ebx
  jnz 1f
  out %al, %dx
  jmp next
1:
  out %ax, %dx
  jmp next

/* RCX: an address without memory: I/O APIC, local APIC, or nothing. */
pick_address:
  mov %ebx, %eax
  and $3, %eax
  lea addresses(%rip), %rcx
  mov (%rcx, %rax, 4), %ecx
  mov %esi, %eax
  and $0x3f0, %eax
  test $4, %ebx
  jz 1f
  mov %esi, %eax
  and $0xfff, %eax
1:
  add %rax, %rcx
  ret
addresses:
  .long 0xfec00000, 0xfee00000, 0xfec00000, 0xd0000000
read_memory:
  call pick_address
  test $8, %ebx
  jnz 1f
  mov (%rcx), %eax
  jmp next
1:
  mov (%rcx), %rax
  lock addb $1, (%rcx)
  jmp next
write_memory:
  call pick_address
  mov %edi, %eax
  test $8, %ebx
  jnz 1f
  mov %eax, (%rcx)
  jmp next
1:
  mov %al, (%rcx)
  xchg %rax, (%rcx)
  jmp next

ask_cpuid:
  mov %esi, %eax
  and $0xc000001f, %eax
  mov %edi, %ecx
  and $3, %ecx
  cpuid
  jmp next

flip_control:
  mov %ebx, %ecx
  and $31, %ecx
  xor %eax, %eax
  bts %rcx, %rax
  test $32, %ebx
  jnz 1f
  mov %cr4, %rdx
  xor %rax, %rdx
  mov %rdx, %cr4
  jmp next
1:
  mov %cr0, %rdx
  xor %rax, %rdx
  mov %rdx, %cr0
  clts
  jmp next
flip_efer:
  mov $0xc0000080, %ecx
  rdmsr
  mov %ebx, %ecx
  and $15, %ecx
  btc %ecx, %eax
  mov $0xc0000080, %ecx
  wrmsr
  jmp next

/*
 * Breakpoints on instructions only, and without GD, which would fault for ever. A data breakpoint
 * that was set when an access exits (a nested page fault) makes QEMU 10.0 go on behind that access with
 * the host's state and the guest's RIP and RSP: measured with the seed 369219725.
 */
write_debug:
  mov %rsi, %dr0
  mov %rdi, %dr3
  mov %esi, %eax
  mov %rax, %dr6
  mov %ebx, %eax
  and $0xdfff, %eax
  mov %rax, %dr7
  jmp next

extended_control:
  mov %ebx, %ecx
  and $1, %ecx
  mov %esi, %eax
  and $0x2ff, %eax
  xor %edx, %edx
  xsetbv
  jmp next

/* ICR: every mode, every shorthand, destinations 0 to 3. */
command:
  mov $X2APIC_ICR, %ecx
  mov %esi, %eax
  and $0xccfff, %eax
  mov %edi, %edx
  and $3, %edx
  wrmsr
  jmp next

virtualisation:
  mov %esi, %eax
  mov %ebx, %ecx
  and $7, %ecx
  jz 1f
  dec %ecx
  jz 2f
  dec %ecx
  jz 3f
  dec %ecx
  jz 4f
  dec %ecx
  jz 5f
  vmcall
  jmp next
1:
  vmmcall
  jmp next
2:
  vmrun %rax
  jmp next
3:
  clgi
  jmp next
4:
  vmlaunch
  jmp next
5:
  wbinvd
  jmp next

software_interrupt:
  mov %ebx, %ecx
  and $3, %ecx
  jz 1f
  dec %ecx
  jz 2f
  dec %ecx
  jz 3f
  int $0x80
  jmp next
1:
  int3
  jmp next
2:
  ud2
3:
  int $0x0d
  jmp next

interrupts:
  test $1, %ebx
  jz 1f
  sti
  nop
  mov %esi, %eax
  and $15, %eax
  mov %rax, %cr8
  jmp next
1:
  cli
  xor %eax, %eax
  mov %rax, %cr8
  jmp next
