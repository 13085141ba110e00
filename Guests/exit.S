/* SPDX-License-Identifier: Apache-2.0 */
/* What exits, and how it ends for the guest. */
#include "guest.inc"

/* Result 0: where it happens. */
GUEST triple_fault
  lea 1f(%rip), %rax
  RESULT 0, %rax
  lidt 2f(%rip)
1:
  ud2
  .balign 8
2:
  .word 0
  .quad 0

/* An MSR that nobody has, read and written: #GP, error code 0. */
GUEST unknown_msr
  call guest_setup
  mov $0x12345, %ecx
  lea 1f(%rip), %rax
  RESULT 0, %rax
  lea 2f(%rip), %r15
1:
  rdmsr
2:
  xor %eax, %eax
  xor %edx, %edx
  MAY_FAULT wrmsr
  mov $0xc0012345, %ecx
  MAY_FAULT rdmsr
  END

/* Ports that only the client can know: 4, 2, 1 bytes, out and in. */
GUEST unknown_port
  mov $0x12345678, %eax
  mov $0x7a0, %dx
  out %eax, %dx
  out %ax, %dx
  out %al, %dx
  mov $-1, %rax
  in %dx, %al
  RESULT 0, %rax
  mov $-1, %rax
  in %dx, %ax
  RESULT 1, %rax
  mov $-1, %rax
  in %dx, %eax
  RESULT 2, %rax
  END

/* Addresses without memory behind them: KVM_EXIT_MMIO, 4, 1, 8 and 2 bytes. */
GUEST nested_fault
  mov $0xd0000000, %ebx
  mov (%rbx), %eax
  RESULT 0, %rax
  movzbl 5(%rbx), %ecx
  RESULT 1, %rcx
  mov $0x1122334455667788, %rax
  mov %rax, 8(%rbx)
  movw $0xabcd, 0x10(%rbx)
  mov $0x1000, %ecx
  mov 0x20(%rbx, %rcx), %rdx
  RESULT 2, %rdx
  END

/* Leaves as the client set them, and one that it did not. */
GUEST cpuid
  mov $GUEST_RESULTS, %edi
  lea 3f(%rip), %rsi
1:
  lodsl
  cmp $-1, %eax
  je 2f
  xor %ecx, %ecx
  cpuid
  mov %eax, (%rdi)
  mov %ebx, 4(%rdi)
  mov %ecx, 8(%rdi)
  mov %edx, 12(%rdi)
  add $16, %rdi
  jmp 1b
2:
  END
  .balign 4
3:
  .long 0, 1, 0x40000000, 0x80000001, 0x12340000, -1

/* Registers live across a long absence: the stand-in moves the vCPU meanwhile. */
GUEST keeps_state
  call guest_setup
  mov $0x600, %eax        /* OSFXSR, OSXMMEXCPT */
  mov %cr4, %rcx
  or %rax, %rcx
  mov %rcx, %cr4
  mov $0x0123456789abcdef, %rax
  movq %rax, %xmm7
  mov $0x1111, %ebx
  mov $0x2222, %ebp
  mov $0x3333, %r8d
  mov $0x4444, %r14d
  mov $0x5555, %esi
  mov %rsi, %dr2
  mov $4, %edi
  mov %rdi, %cr8
  WRITE_MSR 0xc0000102, 0x7777
  WRITE_MSR X2APIC_SELF_IPI, 0x31  /* below the priority 4: it waits */
  STEP
  movq %xmm7, %rax
  RESULT 0, %rax
  RESULT 1, %rbx
  RESULT 2, %rbp
  RESULT 3, %r8
  RESULT 4, %r14
  mov %dr2, %rax
  RESULT 5, %rax
  mov %cr8, %rax
  RESULT 6, %rax
  mov $0xc0000102, %ecx
  rdmsr
  RESULT 7, %rax
  xor %eax, %eax
  mov %rax, %cr8
  AWAIT 0x31, 1
  END

/* Says at once that it is done. */
GUEST end
  END

/* KVM's hypercall by either vendor's instruction: one of them is none here. */
GUEST hypercall
  call guest_setup
  mov $77, %eax
  MAY_FAULT vmcall
  RESULT 0, %rax
  mov $77, %eax
  MAY_FAULT vmmcall
  RESULT 1, %rax
  END

/* The guest has neither VT-x nor SVM. */
GUEST virtualisation
  call guest_setup
  mov $0x9000, %eax
  MAY_FAULT vmrun %rax
  MAY_FAULT vmload %rax
  MAY_FAULT vmsave %rax
  MAY_FAULT stgi
  MAY_FAULT clgi
  MAY_FAULT skinit %eax
  MAY_FAULT invlpga %rax, %ecx
  MAY_FAULT vmlaunch
  MAY_FAULT vmresume
  MAY_FAULT vmxoff
  END

/* EFER.SVME, a reserved bit of EFER, CR4.VMXE: #GP each. */
GUEST control_bits
  call guest_setup
  mov $0xc0000080, %ecx
  rdmsr
  or $0x1000, %eax
  MAY_FAULT wrmsr
  xor $0x3000, %eax
  mov $1, %edx
  MAY_FAULT wrmsr
  /* QEMU lets it through, and refuses the next VMRUN. */
  cmpl $0, GUEST_PARAMETER
  je 1f
  mov %cr4, %rax
  or $0x2000, %eax
  MAY_FAULT mov %rax, %cr4
1:
  mov %cr4, %rax
  RESULT 0, %rax
  mov %cr0, %rax
  RESULT 1, %rax
  END

/* XSETBV: x87 and SSE, then no x87, then an XCR that does not exist. */
GUEST extended_control
  call guest_setup
  mov %cr4, %rax
  or $0x40600, %eax
  mov %rax, %cr4
  xor %ecx, %ecx
  xor %edx, %edx
  mov $3, %eax
  xsetbv
  xgetbv
  RESULT 0, %rax
  mov $2, %eax
  MAY_FAULT xsetbv
  mov $1, %ecx
  mov $1, %eax
  MAY_FAULT xsetbv
  END

/* INVD and WBINVD do nothing. */
GUEST cache
  invd
  wbinvd
  END

/* Counts NMIs with interrupts off. */
GUEST nmi
  call guest_setup
  cli
1:
  incq GUEST_RESULTS
  cmpq $2, GUEST_INTERRUPTS + 8 * 2
  jb 1b
  END

GUEST halt
1:
  hlt
  jmp 1b

/* REP OUTSB and INSW, across a page. */
GUEST string_port
  cld
  mov $0xcffa, %esi
  mov $0x7a0, %dx
  mov $12, %ecx
1:
  mov %cl, (%rsi)
  inc %esi
  loop 1b
  mov $0xcffa, %esi
  mov $12, %ecx
  rep outsb
  RESULT 0, %rsi
  RESULT 1, %rcx
  mov $0xdffc, %edi
  mov $4, %ecx
  rep insw
  RESULT 2, %rdi
  mov 0xdffc, %rax
  RESULT 3, %rax
  END

/* What lies at 256 MiB, whenever it is asked; then a write to it. */
GUEST slots
  mov $0x10000000, %ebx
  mov $GUEST_RESULTS, %edi
1:
  mov (%rbx), %rax
  mov %rax, (%rdi)
  mov 0x1ff8(%rbx), %rax
  mov %rax, 8(%rdi)
  add $16, %edi
  STEP
  cmpl $0, GUEST_PARAMETER
  je 1b
  movq $0x55, (%rbx)
  END

/* Leaves an interrupt requested and a timer running behind. */
GUEST leftovers
  call guest_setup
  cli
  WRITE_MSR X2APIC_SELF_IPI, 0x70
  WRITE_MSR X2APIC_SELF_IPI, 0x12  /* as an exception: a machine check */
  WRITE_MSR X2APIC_TIMER_DIVIDE, 0xb
  WRITE_MSR X2APIC_LVT_TIMER, (LVT_PERIODIC | 0x71)
  WRITE_MSR X2APIC_TIMER_INITIAL, 20000
  STEP
  AWAIT 0x70, 1
  AWAIT 0x12, 1
  AWAIT 0x71, 2
  END

/* Would be hit by what another guest left. */
GUEST bystander
  call guest_setup
  sti
  mov $20000, %ecx
1:
  pause
  loop 1b
  END

/* kvmclock: the time page of KVM's interface. */
GUEST clock
  mov $0x4b564d01, %ecx
  mov $0xc001, %eax
  xor %edx, %edx
  wrmsr
  rdmsr
  RESULT 0, %rax
  WRITE_MSR 0x4b564d00, 0xc100
  END

/* Interrupts that come while it runs, with the results' first word as its pulse. */
GUEST pulse
  call guest_setup
  sti
1:
  incq GUEST_RESULTS
  pause
  jmp 1b

/* What lies at 256 MiB, over and over; result 0 is its newest value. */
GUEST watch_slot
  mov $0x10000000, %ebx
1:
  mov (%rbx), %rax
  RESULT 0, %rax
  jmp 1b

/* A stack without memory, and an interrupt that is to be delivered on it. */
GUEST bad_stack
  call guest_setup
  mov $0xd0001000, %esp
  WRITE_MSR X2APIC_SELF_IPI, 0x66
  sti
1:
  jmp 1b

/* Code without memory. */
GUEST bad_code
  mov $0xd0000000, %eax
  jmp *%rax

/* Page tables without memory. */
GUEST bad_tables
  mov $0xd0000000, %eax
  mov %rax, %cr3
1:
  jmp 1b
