/* SPDX-License-Identifier: Apache-2.0 */
/* What Linux and the processor offer beyond POSIX and Swift's Glibc module does not show. */
#ifndef LINUX_CALLS_H
#define LINUX_CALLS_H

#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

/* Binds the calling thread to one CPU: 0, or -1 with errno. */
__attribute__((swift_name("bindThread(toCPU:)")))
int linux_bind_thread(int cpu);

struct cpuid_registers { uint32_t eax, ebx, ecx, edx; };

/* CPUID(leaf, 0) of the CPU that the calling thread is on. Leaves that it lacks are all zero. */
__attribute__((swift_name("cpuid(_:)")))
struct cpuid_registers linux_cpuid(uint32_t leaf);

#endif
