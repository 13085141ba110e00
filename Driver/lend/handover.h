/* SPDX-License-Identifier: GPL-2.0 */
/* Between the worker that hands CPUs over and what it does. */
#ifndef APUS_HANDOVER_H
#define APUS_HANDOVER_H

#include "lend.h"

struct handover;

/* handover.c: who asked for the CPU was killed. */
bool handover_is_unwanted(const struct handover *handover);

/* fit.c: everything that can be refused before Linux loses a CPU */
int fit_check(unsigned int cpu);

/* performance.c: what the monitor asks the processor for; while the CPU is online */
void performance_choose(unsigned int cpu, struct apus_cpu *control);

/* lend.c: for the worker only */
struct lent *lend_cpu(unsigned int cpu, const struct handover *handover);
struct lent *lend_from_pool(const struct handover *handover);
bool lend_take_back(struct lent *lent);

#endif
