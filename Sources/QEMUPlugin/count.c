// SPDX-License-Identifier: Apache-2.0
/*
 * A plugin of QEMU that sees the instructions of the monitor on one CPU. Arguments:
 *
 *	cpu=N             the emulated CPU
 *	root=FIRST-END    where the monitor's code lies
 *	guest=FIRST-END   where the guest's code lies; may be left out
 *	trace=FILE        addresses of 32 bits: for each exit that of the guest's instruction which
 *	                  exited, then those of the monitor's instructions in their order
 *	counts=FILE       at the end, for each address of the monitor a line `ADDRESS COUNT`
 *
 * An instruction with a REP prefix is one.
 */
#include "plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

struct range { uint64_t first, end; };

EXPORT const int qemu_plugin_version = 4;

static unsigned int counted_cpu;
static struct range root, guest;
static FILE *trace, *counts;
static uint64_t *executed;              /* by address, from root.first */
static uint32_t guest_address;
static int in_guest;

static int contains(struct range range, uint64_t address)
{
	return address >= range.first && address < range.end;
}

static void write_address(uint32_t address)
{
	if (trace)
		fwrite(&address, sizeof address, 1, trace);
}

static void monitor_instruction(unsigned int cpu, void *address)
{
	if (cpu != counted_cpu)
		return;
	executed[(uintptr_t)address - root.first]++;
	if (in_guest)
		write_address(guest_address);
	in_guest = 0;
	write_address((uintptr_t)address);
}

static void guest_instruction(unsigned int cpu, void *address)
{
	if (cpu != counted_cpu)
		return;
	in_guest = 1;
	guest_address = (uintptr_t)address;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
	(void)id;
	for (size_t index = 0; index < qemu_plugin_tb_n_insns(block); index++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, index);
		uint64_t address = qemu_plugin_insn_vaddr(instruction);
		execution_callback callback = contains(root, address) ? monitor_instruction
			: contains(guest, address) ? guest_instruction : NULL;

		if (callback)
			qemu_plugin_register_vcpu_insn_exec_cb(
				instruction, callback, QEMU_PLUGIN_CB_NO_REGS,
				(void *)(uintptr_t)address);
	}
}

static void ended(qemu_plugin_id_t id, void *data)
{
	(void)id, (void)data;
	for (uint64_t offset = 0; counts && offset < root.end - root.first; offset++)
		if (executed[offset])
			fprintf(counts, "%lx %lu\n", root.first + offset, executed[offset]);
	if (counts)
		fclose(counts);
	if (trace)
		fclose(trace);
}

static int take(const char *argument)
{
	if (sscanf(argument, "cpu=%u", &counted_cpu) == 1)
		return 1;
	if (sscanf(argument, "root=%lx-%lx", &root.first, &root.end) == 2)
		return root.end > root.first;
	if (sscanf(argument, "guest=%lx-%lx", &guest.first, &guest.end) == 2)
		return 1;
	if (strncmp(argument, "trace=", 6) == 0)
		return (trace = fopen(argument + 6, "w")) != NULL;
	if (strncmp(argument, "counts=", 7) == 0)
		return (counts = fopen(argument + 7, "w")) != NULL;
	return 0;
}

EXPORT int qemu_plugin_install(
	qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
	(void)info;
	for (int index = 0; index < argc; index++)
		if (!take(argv[index])) {
			fprintf(stderr, "count: cannot take the argument %s\n", argv[index]);
			return 1;
		}
	executed = calloc(root.end - root.first, sizeof *executed);
	if (!executed) {
		fprintf(stderr, "count: root=FIRST-END is missing or too large\n");
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
