/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REAL_PROCESSOR_H
#define REAL_PROCESSOR_H

#include <stdint.h>

/* Registers before an instruction, and after it. */
struct processor_state {
	/* RAX to R15 in the order of their encoding. */
	uint64_t registers[16];
	uint64_t flags;
	uint64_t vectors[16][2];
};

/*
 * Loads the registers, jumps to `code`, and stores the registers when that jumps back to
 * real_processor_return. Its state is in global variables: one thread at a time.
 */
void run_on_processor(struct processor_state *state, const void *code);

extern const uint64_t real_processor_return;

#endif
