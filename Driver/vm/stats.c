// SPDX-License-Identifier: GPL-2.0
/* KVM_GET_STATS_FD: counters of a VM or a vCPU in KVM's binary form (api.rst, 4.132). */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "vm.h"

#define NAME_SIZE 48
#define ID_SIZE 48
#define MOST_STATISTICS 48

#define COUNT (KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_NONE | KVM_STATS_BASE_POW10)
#define CYCLES (KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_CYCLES | KVM_STATS_BASE_POW10)
#define BYTES_NOW (KVM_STATS_TYPE_INSTANT | KVM_STATS_UNIT_BYTES | KVM_STATS_BASE_POW2)
#define COUNT_NOW (KVM_STATS_TYPE_INSTANT | KVM_STATS_UNIT_NONE | KVM_STATS_BASE_POW10)

struct description {
	struct kvm_stats_desc head;
	char name[NAME_SIZE];
};

/* The whole file, made anew for each read: its form never changes. */
struct contents {
	struct kvm_stats_header header;
	char id[ID_SIZE];
	struct description descriptions[MOST_STATISTICS];
	u64 data[MOST_STATISTICS];
};

static void add(struct contents *contents, const char *name, u32 flags, u64 value)
{
	u32 index = contents->header.num_desc;
	struct description *description = &contents->descriptions[index];

	if (WARN_ON_ONCE(index == MOST_STATISTICS))
		return;
	description->head.flags = flags;
	description->head.size = 1;
	description->head.offset = index * sizeof(u64);
	strscpy(description->name, name, NAME_SIZE);
	strreplace(description->name, '-', '_');
	contents->data[index] = value;
	contents->header.num_desc++;
}

static void begin(struct contents *contents)
{
	BUILD_BUG_ON(sizeof(struct description) != sizeof(struct kvm_stats_desc) + NAME_SIZE);
	contents->header = (struct kvm_stats_header) {
		.name_size = NAME_SIZE,
		.id_offset = offsetof(struct contents, id),
		.desc_offset = offsetof(struct contents, descriptions),
		.data_offset = offsetof(struct contents, data),
	};
}

static void describe_vm(struct contents *contents, const struct vm *vm)
{
	snprintf(contents->id, ID_SIZE, "kvm-%d", vm->process);
	add(contents, "vcpus", COUNT_NOW, READ_ONCE(vm->control->vcpu_count));
	add(contents, "vcpus_with_a_cpu", COUNT_NOW, READ_ONCE(vm->followed_vcpus));
	add(contents, "nested_tables", BYTES_NOW, READ_ONCE(vm->table_pages) * PAGE_SIZE);
}

static void describe_vcpu(struct contents *contents, const struct vcpu *vcpu)
{
	const struct apus_statistics *statistics = &vcpu->control->statistics;
	unsigned int cause;
	u64 exits = 0;

	BUILD_BUG_ON(APUS_EXIT_COUNT + 5 > MOST_STATISTICS);
	snprintf(contents->id, ID_SIZE, "kvm-%d/vcpu-%u", vcpu->vm->process, vcpu->id);
	for (cause = 0; cause < APUS_EXIT_COUNT; cause++)
		exits += READ_ONCE(statistics->exits[cause]);
	add(contents, "exits", COUNT, exits);
	add(contents, "entries", COUNT, READ_ONCE(statistics->entries));
	add(contents, "run_cycles", CYCLES, READ_ONCE(statistics->run_cycles));
	add(contents, "interrupts_sent", COUNT, atomic64_read(&vcpu->interrupts));
	add(contents, "kicks", COUNT, atomic64_read(&vcpu->kicks));
	for (cause = 0; cause < APUS_EXIT_COUNT; cause++)
		add(contents, apus_exit_name(cause), COUNT, READ_ONCE(statistics->exits[cause]));
}

/* A file of statistics: of the vCPU, or if that is NULL of the VM. */
struct statistics {
	struct vm *vm;
	const struct vcpu *vcpu;
};

static ssize_t read(struct file *file, char __user *buffer, size_t size, loff_t *offset)
{
	struct statistics *statistics = file->private_data;
	struct contents *contents = kvzalloc(sizeof(*contents), GFP_KERNEL_ACCOUNT);
	ssize_t result;

	if (!contents)
		return -ENOMEM;
	begin(contents);
	if (statistics->vcpu)
		describe_vcpu(contents, statistics->vcpu);
	else
		describe_vm(contents, statistics->vm);
	result = simple_read_from_buffer(buffer, size, offset, contents, sizeof(*contents));
	kvfree(contents);
	return result;
}

static int release(struct inode *inode, struct file *file)
{
	struct statistics *statistics = file->private_data;

	vm_put(statistics->vm);
	kfree(statistics);
	return 0;
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.read = read,
	.release = release,
	.llseek = noop_llseek,
};

/* As KVM's, the file can be read at any offset. */
static long install(struct statistics *statistics)
{
	int descriptor = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (descriptor < 0)
		return descriptor;
	file = anon_inode_getfile("apus-stats", &operations, statistics, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(descriptor);
		return PTR_ERR(file);
	}
	vm_get(statistics->vm);
	file->f_mode |= FMODE_PREAD;
	fd_install(descriptor, file);
	return descriptor;
}

long stats_open(struct vm *vm, const struct vcpu *vcpu)
{
	struct statistics *statistics = kzalloc(sizeof(*statistics), GFP_KERNEL_ACCOUNT);
	long result;

	if (!statistics)
		return -ENOMEM;
	statistics->vm = vm;
	statistics->vcpu = vcpu;
	result = install(statistics);
	if (result < 0)
		kfree(statistics);
	return result;
}
