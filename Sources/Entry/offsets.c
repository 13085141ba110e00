/* SPDX-License-Identifier: Apache-2.0 */
#include "offsets.h"

#include "instructions.h"

#define SAME(offset, type, field) _Static_assert(offset == offsetof(type, field), #field)
SAME(CPU_NMIS, struct apus_cpu, nmis);
SAME(CPU_MACHINE_CHECKS, struct apus_cpu, machine_checks);
SAME(CPU_TAKEN, struct apus_cpu, taken);
SAME(TRAMPOLINE_PAGE_TABLE - APUS_TRAMPOLINE_ARGUMENTS, struct apus_trampoline_arguments, page_table);
SAME(TRAMPOLINE_STACK - APUS_TRAMPOLINE_ARGUMENTS, struct apus_trampoline_arguments, stack);
SAME(TRAMPOLINE_ENTRY - APUS_TRAMPOLINE_ARGUMENTS, struct apus_trampoline_arguments, entry);
_Static_assert(CPU_CONTROL == APUS_WINDOW_BASE + APUS_WINDOW_CPU * APUS_PAGE_SIZE, "CPU area");
