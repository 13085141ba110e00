/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest of some hundred bytes that sleeps until a moment, and notes by how much it woke up too late, again and
 * again: `apus latency`. It is 64-bit code that runs wherever it is loaded, with the first 4 GiB mapped to
 * themselves, interrupts off, a stack, and the local APIC in x2APIC mode.
 */
#ifndef LATENCY_GUEST_H
#define LATENCY_GUEST_H

/* Where guest and client meet, in guest-physical bytes: struct latency_area. */
#define LATENCY_AREA 0x1100000
/* Samples that are kept, a power of two; those that nobody has read are overwritten. */
#define LATENCY_SAMPLES 65536
/* From the start of the area. */
#define LATENCY_SAMPLES_OFFSET 4096
/* The guest's own interrupt table and stack. */
#define LATENCY_TABLE 0x1200000
#define LATENCY_STACK 0x1210000

#define LATENCY_STARTING 0
#define LATENCY_MEASURING 1
#define LATENCY_DONE 2
/* An exception, or an interrupt that is not the timer's. */
#define LATENCY_BROKEN 3

#define LATENCY_DEADLINE 1 /* the timer is the TSC's deadline */
#define LATENCY_ONE_SHOT 2 /* it counts down, and was compared with the TSC at first */

#ifndef __ASSEMBLER__
#include <stdint.h>

/* Offsets are in the assembly as well. */
struct latency_area {
	/* the guest */
	uint64_t state;     /* 0x00 */
	uint64_t timer;     /* 0x08: LATENCY_DEADLINE or LATENCY_ONE_SHOT */
	uint64_t count;     /* 0x10: samples that were written */
	/* the client, before the guest starts */
	uint64_t interval;  /* 0x18: TSC ticks from one wake-up to the next */
	/* the client, at any time: 1 has the guest power off */
	uint64_t stop;      /* 0x20 */
	/* the guest, with LATENCY_ONE_SHOT: so many of the timer's ticks went by in so many of the TSC's */
	uint64_t timer_ticks; /* 0x28 */
	uint64_t tsc_ticks; /* 0x30 */
};

extern const uint8_t latency_guest_start[], latency_guest_end[];

/* The guest's instructions, and how many bytes they have. */
static inline const uint8_t *latency_guest_code(void) { return latency_guest_start; }
static inline int latency_guest_size(void)
{
	return (int)(latency_guest_end - latency_guest_start);
}
#endif

#endif
