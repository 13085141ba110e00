/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Words shared between CPUs: one access each, never torn. Not for the driver. */
#ifndef APUS_ATOMICS_H
#define APUS_ATOMICS_H

#include <stdint.h>

#define ATOMIC(name) __attribute__((always_inline, swift_name(name))) static inline

ATOMIC("loadAcquire(_:)") uint32_t acquire32(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
ATOMIC("loadAcquire(_:)") uint64_t acquire64(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
ATOMIC("storeRelease(_:_:)") void release32(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
ATOMIC("storeRelease(_:_:)") void release64(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
ATOMIC("exchange(_:_:)") uint32_t exchange32(uint32_t *word, uint32_t value) { return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST); }
ATOMIC("exchange(_:_:)") uint64_t exchange64(uint64_t *word, uint64_t value) { return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST); }
ATOMIC("compareExchange(_:_:_:)") uint32_t compare_exchange32(uint32_t *word, uint32_t expected, uint32_t value)
{
	/* What was there; `expected`: it is `value` now. */
	__atomic_compare_exchange_n(word, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return expected;
}
ATOMIC("fetchOr(_:_:)") uint32_t fetch_or32(uint32_t *word, uint32_t value) { return __atomic_fetch_or(word, value, __ATOMIC_SEQ_CST); }
ATOMIC("fetchAnd(_:_:)") uint32_t fetch_and32(uint32_t *word, uint32_t value) { return __atomic_fetch_and(word, value, __ATOMIC_SEQ_CST); }

#undef ATOMIC
#endif
