/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The contract's own checks: each structure fits the pages that are set aside for it. */
#include "kvm_numbers.h"

_Static_assert(sizeof(struct apus_cpu) <= APUS_PAGE_SIZE, "one page");
_Static_assert(sizeof(struct apus_vcpu) <= 2 * APUS_PAGE_SIZE, "control pages of a vCPU");
_Static_assert(sizeof(struct apus_vm) <= 2 * APUS_PAGE_SIZE, "control pages of a VM");
_Static_assert(sizeof(struct apus_extent_page) <= APUS_PAGE_SIZE, "one page");
_Static_assert(sizeof(struct kvm_run) <= APUS_PAGE_SIZE, "one page");
_Static_assert(APUS_EXIT_COUNT <= 32, "room in apus_statistics.exits");
