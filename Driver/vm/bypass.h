/* SPDX-License-Identifier: GPL-2.0 */
/* What an irqfd has in addition where a device of the machine may signal its eventfd. */
#ifndef APUS_BYPASS_H
#define APUS_BYPASS_H

#include <linux/irqbypass.h>

#include "vm.h"

struct bypass {
	struct irq_bypass_consumer consumer;
	bool registered;
	struct vm *vm;
	u32 gsi;
	atomic64_t forwarded; /* signals of the eventfd */

	/* The rest while a device's interrupt signals it; under bypass.c's lock. */
	struct list_head node;
	struct steering steering;
	enum apus_delivery steerable;
	enum apus_delivery delivery;
	u32 apic_id; /* these three of a direct one */
	u32 vcpu;
	u8 vector;
	u64 changes;
};

#ifdef APUS_BYPASS
void bypass_open(struct bypass *bypass, struct vm *vm, u32 gsi, struct eventfd_ctx *eventfd);
void bypass_close(struct bypass *bypass);
#else
static inline void bypass_open(struct bypass *bypass, struct vm *vm, u32 gsi,
			       struct eventfd_ctx *eventfd) {}
static inline void bypass_close(struct bypass *bypass) {}
#endif

#endif
