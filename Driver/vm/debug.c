// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/apus/vcpus: what KVM_APUS_GET_STATISTICS tells, for clients that do not ask for
 * it. A counter a line: the client's process, the vCPU, a name, a number.
 */
#include <linux/debugfs.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>

#include "vm.h"

static struct dentry *directory;

static void show_vcpu(struct seq_file *file, const struct vm *vm, const struct vcpu *vcpu)
{
	const struct apus_statistics *statistics = &vcpu->control->statistics;
	unsigned int cause;

#define COUNTER(name, value) \
	seq_printf(file, "%d %u %s %llu\n", vm->process, vcpu->id, name, (u64)(value))
	COUNTER("entries", READ_ONCE(statistics->entries));
	COUNTER("interrupts-sent", atomic64_read(&vcpu->interrupts));
	COUNTER("kicks", atomic64_read(&vcpu->kicks));
	for (cause = 0; cause < APUS_EXIT_COUNT; cause++)
		COUNTER(apus_exit_name(cause), READ_ONCE(statistics->exits[cause]));
#undef COUNTER
}

static void show_vm(struct seq_file *file, const struct vm *vm)
{
	unsigned int id;

	for (id = 0; id < APUS_VCPUS; id++) {
		const struct vcpu *vcpu = smp_load_acquire(&vm->vcpus[id]);

		if (vcpu)
			show_vcpu(file, vm, vcpu);
	}
}

static int vcpus_show(struct seq_file *file, void *unused)
{
	vms_show(file, show_vm);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vcpus);

/* Nothing depends on it. */
void debug_init(void)
{
	directory = debugfs_create_dir("apus", NULL);
	debugfs_create_file("vcpus", 0400, directory, NULL, &vcpus_fops);
}

void debug_exit(void)
{
	debugfs_remove(directory);
}
