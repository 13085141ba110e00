/* SPDX-License-Identifier: Apache-2.0 */
/* What Linux offers beyond POSIX and Swift's Glibc module does not show. */
#ifndef LINUX_CALLS_H
#define LINUX_CALLS_H

#include <sys/eventfd.h>
#include <sys/signalfd.h>

/* Binds the calling thread to one CPU: 0, or -1 with errno. */
__attribute__((swift_name("bindThread(toCPU:)")))
int linux_bind_thread(int cpu);

#endif
