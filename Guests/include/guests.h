/* SPDX-License-Identifier: Apache-2.0 */
/* What the small guests and the stand-in agree on. */
#ifndef APUS_GUESTS_H
#define APUS_GUESTS_H

/* Guest-physical places; the stand-in fills the first two before a guest starts. */
#define GUEST_PAGE_TABLES 0x1000  /* six pages: 4 GiB at their own addresses */
#define GUEST_GDT 0x7000
#define GUEST_RESULTS 0x8000      /* 64-bit words that the stand-in reads */
#define GUEST_IDT 0x9000
#define GUEST_INTERRUPTS 0xa000   /* 256 counters, by vector */
#define GUEST_STACK 0xf000        /* its end */
#define GUEST_IMAGE 0x10000
#define GUEST_PARAMETER 0x8800    /* a 64-bit word that the stand-in writes */
/* Results that the interrupt handlers of library.S write. */
#define GUEST_FAULT_ERROR 0x8f00
#define GUEST_FAULT_RIP 0x8f08
/* Read by them: a routine to call before the EOI, and 1 for an APIC in xAPIC mode. */
#define GUEST_HOOK 0x8f10
#define GUEST_XAPIC 0x8f18

#define GUEST_CODE64 0x08
#define GUEST_DATA 0x10
#define GUEST_CODE32 0x18

/* Ports that the client serves. */
#define GUEST_PORT_END 0x5e0      /* a guest is done */
#define GUEST_PORT_STEP 0x5e4     /* a guest asks for the next step of its test */

/* An entry of the table of guests: 64 bytes. */
#define GUEST_ENTRY_SIZE 64
#define GUEST_STARTS_REAL 0
#define GUEST_STARTS_LONG 1

/* An entry of the table of exits whose cost is measured: 64 bytes. */
#define GUEST_COST_SIZE 64
/* How often each of them is made while its time is taken, and while instructions are traced. */
#define GUEST_COST_TIMED 64
#define GUEST_COST_TRACED 6

#ifndef __ASSEMBLER__
#include <stdint.h>
struct guest_entry {
	uint64_t start; /* guest-physical */
	uint64_t mode;
	uint8_t name[GUEST_ENTRY_SIZE - 16];
};
struct guest_cost {
	uint64_t site;       /* of the instruction that exits; guest-physical */
	uint64_t ticks;      /* of the TSC, for all iterations: the guest writes it */
	uint64_t iterations; /* 0: not timed */
	uint8_t name[GUEST_COST_SIZE - 24];
};
#endif

#endif
