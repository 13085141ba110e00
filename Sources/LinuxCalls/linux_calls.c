// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "linux_calls.h"

#include <cpuid.h>
#include <errno.h>
#include <sched.h>

int linux_bind_thread(int cpu)
{
	size_t size = CPU_ALLOC_SIZE(cpu + 1);
	cpu_set_t *set = CPU_ALLOC(cpu + 1);
	int result;

	if (!set) {
		errno = ENOMEM;
		return -1;
	}
	CPU_ZERO_S(size, set);
	CPU_SET_S(cpu, size, set);
	result = sched_setaffinity(0, size, set);
	CPU_FREE(set);
	return result;
}

struct cpuid_registers linux_cpuid(uint32_t leaf)
{
	struct cpuid_registers r = {0};

	__get_cpuid_count(leaf, 0, &r.eax, &r.ebx, &r.ecx, &r.edx);
	return r;
}
