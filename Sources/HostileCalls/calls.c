// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "hostile_calls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int hostile_ioctl(int descriptor, uint32_t request, uint64_t argument)
{
	int result = ioctl(descriptor, request, argument);

	return result < 0 ? -errno : result;
}

/*
 * What is written and read counts as well once the file says so: a number that cannot be read is one that
 * is left, for the read itself was refused.
 */
int hostile_failing_ioctl(int failing, unsigned int nth, int descriptor, uint32_t request,
			  uint64_t argument, int *left)
{
	char text[16] = "";
	int length = snprintf(text, sizeof(text), "%u", nth);
	int result;
	ssize_t got;

	if (pwrite(failing, text, length, 0) != length) {
		*left = -errno;
		return -EIO;
	}
	result = hostile_ioctl(descriptor, request, argument);
	got = pread(failing, text, sizeof(text) - 1, 0);
	*left = 1;
	if (got > 0) {
		text[got] = 0;
		*left = atoi(text);
	}
	/* Twice: the first may be refused. */
	if (pwrite(failing, "0", 1, 0) != 1 && pwrite(failing, "0", 1, 0) != 1)
		*left = -errno;
	return result;
}

static int succeeds(int descriptor, uint32_t request, unsigned long argument)
{
	return ioctl(descriptor, request, argument) >= 0;
}

/* Nothing but system calls: the other threads of its parent may have held any lock. */
static int try_all(const int *machines, size_t machine_count, const int *processors,
		   size_t processor_count)
{
	size_t i;
	int bad = 0;

	for (i = 0; i < machine_count; i++) {
		bad += succeeds(machines[i], KVM_CHECK_EXTENSION, KVM_CAP_IRQCHIP);
		bad += succeeds(machines[i], KVM_GET_TSC_KHZ, 0);
		bad += succeeds(machines[i], KVM_CREATE_VCPU, 9);
	}
	for (i = 0; i < processor_count; i++) {
		bad += succeeds(processors[i], KVM_RUN, 0);
		bad += succeeds(processors[i], KVM_GET_TSC_KHZ, 0);
		bad += succeeds(processors[i], KVM_NMI, 0);
		bad += mmap(NULL, 4096, PROT_READ, MAP_SHARED, processors[i], 0) != MAP_FAILED;
	}
	return bad;
}

int hostile_child(const int *machines, size_t machine_count, const int *processors,
		  size_t processor_count)
{
	int status = 0;
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (!child)
		_exit(try_all(machines, machine_count, processors, processor_count));
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

void hostile_heir(unsigned int seconds)
{
	if (fork())
		return;
	while (seconds)
		seconds = sleep(seconds);
	_exit(0);
}

int hostile_memory_file(size_t size)
{
	int descriptor = memfd_create("guest", MFD_CLOEXEC);

	if (descriptor < 0 || ftruncate(descriptor, size))
		return -errno;
	return descriptor;
}

int hostile_event(void)
{
	int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return descriptor < 0 ? -errno : descriptor;
}
