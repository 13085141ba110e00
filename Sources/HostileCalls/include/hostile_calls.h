/* SPDX-License-Identifier: Apache-2.0 */
/* Every request that /dev/apus may be sent, and what Swift cannot call. */
#ifndef HOSTILE_CALLS_H
#define HOSTILE_CALLS_H

#include <stddef.h>
#include <stdint.h>
#include <linux/kvm.h>

#include "apus.h"

enum hostile_argument {
	HOSTILE_NUMBER,   /* the argument is a number, or nothing */
	HOSTILE_POINTER,  /* it points to a structure whose size the request contains */
	HOSTILE_TABLE,    /* the structure begins with the count of what follows it */
};

struct hostile_request {
	const char *name;
	uint32_t number;
	enum hostile_argument argument;
};

struct hostile_requests {
	const struct hostile_request *first;
	size_t count;
};

extern const struct hostile_requests hostile_device_requests, hostile_machine_requests,
	hostile_processor_requests;

/* The few that are asked for by name. */
enum {
	HOSTILE_CREATE_VM, HOSTILE_CREATE_VCPU, HOSTILE_CREATE_IRQCHIP, HOSTILE_CREATE_PIT2,
	HOSTILE_SET_MEMORY, HOSTILE_RUN, HOSTILE_GET_SREGS, HOSTILE_SET_SREGS, HOSTILE_SET_REGS,
	HOSTILE_SET_LENT_CPU, HOSTILE_GET_MMAP_SIZE, HOSTILE_PASS_PORTS,
	HOSTILE_GET_MP_STATE, HOSTILE_SET_PIT2, HOSTILE_GET_IRQCHIP, HOSTILE_SET_IRQCHIP,
	HOSTILE_CHECK_EXTENSION, HOSTILE_ENABLE_CAP,
	SURVEY_GET_REGS, SURVEY_GET_DEBUGREGS, SURVEY_GET_EVENTS, SURVEY_GET_XCRS, SURVEY_GET_FPU,
	SURVEY_GET_LAPIC, SURVEY_GET_PIT2, SURVEY_MSR_LIST, SURVEY_GET_MSRS,
};
uint32_t hostile_number(int which);

/* ioctl(2) with any word as its argument: the result, or -errno. */
int hostile_ioctl(int descriptor, uint32_t request, uint64_t argument);

/*
 * As hostile_ioctl(), and the kernel refuses the nth allocation or copy of this thread from here on, if
 * there are so many (fault-injection.rst, "fail-nth"). `failing` is the thread's file of that name. *left
 * is 0 if one was refused; it is -errno if the file cannot be used.
 */
int hostile_failing_ioctl(int failing, unsigned int nth, int descriptor, uint32_t request,
			  uint64_t argument, int *left);

/*
 * A child that inherits the descriptors of VMs and vCPUs and tries what it can with them. Returns
 * how many calls did not fail, or -errno. None may succeed: a VM is its owner's alone.
 */
int hostile_child(const int *machines, size_t machine_count, const int *processors,
		  size_t processor_count);

/* A child that inherits all descriptors and does nothing for so many seconds. */
void hostile_heir(unsigned int seconds);

/* A file without a name that can be truncated while it is mapped: a descriptor, or -errno. */
int hostile_memory_file(size_t size);

/* An eventfd that never blocks: a descriptor, or -errno. */
int hostile_event(void);

#endif
