/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exits one at a time, each over and over, for what one of them costs: first with their time taken,
 * then between two breakpoints for a debugger, for their instructions.
 */
#include "guest.inc"

/* Bochs' debugger stops at this instruction, and nothing else happens. */
.macro BREAKPOINT
  xchg %bx, %bx
.endm

/* An entry of the table. */
.macro COST_ENTRY name:req, site:req
  .pushsection .guests.costs, "aw"
  .balign GUEST_COST_SIZE
  .quad \site, 0, 0
  .asciz "\name"
  .balign GUEST_COST_SIZE
  .popsection
.endm

/*
 * Makes `instruction` R14D times with RAX, RCX, RDX and RBX as they are here; RAX is changed by
 * `toggle` before each. Changes all registers but R14.
 */
.macro COST name:req, toggle:req, instruction:vararg
  COST_ENTRY \name, .Lsite\@
  mov %rax, %r8
  mov %rcx, %r9
  mov %rdx, %r10
  mov %rbx, %r11
  mov $\toggle, %ebp
  mov %r14d, %r12d
  call read_time
  mov %rax, %rsi
.Lagain\@:
  xor %rbp, %r8
  mov %r8, %rax
  mov %r9, %rcx
  mov %r10, %rdx
  mov %r11, %rbx
.Lsite\@:
  \instruction
  dec %r12d
  jnz .Lagain\@
  call read_time
  sub %rsi, %rax
  mov $.Lsite\@, %edi
  call store_time
.endm

/* Two passes over `measure`, the second one traced. */
.macro MEASURE measure:req
  mov $GUEST_COST_TIMED, %r14d
  call \measure
  mov $GUEST_COST_TRACED, %r14d
  BREAKPOINT
  call \measure
  BREAKPOINT
.endm

/* The stand-in has started a second vCPU. GUEST_PARAMETER: 1 for VT-x. */
GUEST costs
  call guest_interrupts
  START_PICS
  WRITE_PORT PIC + 1, 0xff
  WRITE_IOAPIC 4, 0x60
  WRITE_IOAPIC 5, 0x61
  MEASURE measure
  END

measure:
  COST nothing, 0, nop

  mov $1, %eax
  xor %ecx, %ecx
  COST cpuid, 0, cpuid
  mov $77, %eax
  cmpl $0, GUEST_PARAMETER
  je 1f
  COST hypercall, 0, vmcall
  jmp 2f
1:
  COST hypercall, 0, vmmcall
2:
  mov $0x1a0, %ecx        /* IA32_MISC_ENABLE */
  COST rdmsr, 0, rdmsr
  mov $0x1a0, %ecx
  rdmsr
  COST wrmsr, 0, wrmsr

  mov $X2APIC_ICR, %ecx
  xor %edx, %edx
  mov $0x54, %eax
  COST icr-self, 0, wrmsr
  mov $X2APIC_ICR, %ecx
  mov $1, %edx
  mov $0x54, %eax
  COST icr-other, 0, wrmsr

  COST pit-read, 0, in $0x40, %al

  COST pic-read, 0, in $PIC + 1, %al
  mov $0xff, %eax
  COST pic-write, 0, out %al, $PIC + 1
  /* Whether the PICs listen to line 4, and with that whether the driver may deliver it itself. */
  mov $0xff, %eax
  COST pic-route, 0x10, out %al, $PIC + 1

  mov $IOAPIC, %ebx
  mov $(0x10 + 2 * 5), %eax
  COST ioapic-select, 0, mov %eax, (%rbx)
  mov $IOAPIC, %ebx
  COST ioapic-read, 0, mov 0x10(%rbx), %eax
  mov $IOAPIC, %ebx
  mov $0x61, %eax
  COST ioapic-write, 0, mov %eax, 0x10(%rbx)
  mov $0x61, %eax
  COST ioapic-route, LVT_MASKED, mov %eax, 0x10(%rbx)
  ret

/* In xAPIC mode each access is decoded. */
GUEST costs_xapic
  call guest_interrupts
  mov $XAPIC, %ebx
  movl $0x1ff, 0xf0(%rbx)
  MEASURE measure_xapic
  END

measure_xapic:
  COST nothing, 0, nop
  mov $XAPIC, %ebx
  COST xapic-read, 0, mov 0x30(%rbx), %eax
  mov $XAPIC, %ebx
  xor %eax, %eax
  COST xapic-write, 0, mov %eax, 0x80(%rbx)
  mov $XAPIC, %ebx
  xor %eax, %eax
  COST xapic-eoi, 0, mov %eax, 0xb0(%rbx)
  mov $XAPIC, %ebx
  movl $0, 0x310(%rbx)
  mov $0x54, %eax
  COST xapic-icr-self, 0, mov %eax, 0x300(%rbx)
  ret

/* Has exits only when the stand-in kicks it. */
GUEST costs_kick
  COST_ENTRY kick, kicked
  mov $kicked, %edi
  xor %eax, %eax
  mov $GUEST_COST_TIMED, %r14d
  call store_time
  BREAKPOINT
  movq $1, GUEST_RESULTS
kicked:
  jmp kicked

read_time:
  rdtsc
  shl $32, %rdx
  or %rdx, %rax
  ret

/* Writes RAX into the entry of the site EDI, if time is taken now. */
store_time:
  cmp $GUEST_COST_TIMED, %r14d
  jne 2f
  mov $guests_costs, %edx
1:
  cmp %rdi, (%rdx)
  lea GUEST_COST_SIZE(%rdx), %rdx
  jne 1b
  mov %rax, (8 - GUEST_COST_SIZE)(%rdx)
  mov %r14, (16 - GUEST_COST_SIZE)(%rdx)
2:
  ret
