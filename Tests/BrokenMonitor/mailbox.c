/* SPDX-License-Identifier: Apache-2.0 */
#include "mailbox.h"

#include <stddef.h>

#include "apus.h"

#define SAME(offset, field) _Static_assert(offset == offsetof(struct apus_cpu, field), #field)
SAME(CPU_DOORBELL, doorbell);
SAME(CPU_PROCEED, proceed);
SAME(CPU_COMMAND_SEQUENCE, command_sequence);
SAME(CPU_COMMAND, command);
SAME(CPU_STATE, state);
SAME(CPU_REASON, reason);
SAME(CPU_DONE_SEQUENCE, done_sequence);
SAME(CPU_RESULT, result);
SAME(CPU_FAULT, fault);

_Static_assert(CPU_PRIVATE == APUS_WINDOW_BASE +
	       (APUS_WINDOW_CPU + APUS_CPU_PAGE_PRIVATE) * APUS_PAGE_SIZE, "private pages");
_Static_assert(ARRIVED == APUS_CPU_ARRIVED && READY == APUS_CPU_READY &&
	       PARKED == APUS_CPU_PARKED && UNFIT == APUS_CPU_UNFIT &&
	       STOPPED == APUS_CPU_STOPPED, "states");
_Static_assert(BIND == APUS_COMMAND_BIND && VCPU == APUS_COMMAND_VCPU &&
	       RUN == APUS_COMMAND_RUN && PARK == APUS_COMMAND_PARK, "commands");
_Static_assert(UNFIT_NO_NESTED_PAGING == APUS_UNFIT_NO_NESTED_PAGING, "reasons");
