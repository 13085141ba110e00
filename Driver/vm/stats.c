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

/* What a read of such a file finds: the structure without what it has no use for. */
static ssize_t copy(struct contents *contents, char __user *buffer, size_t size, loff_t *offset)
{
	return simple_read_from_buffer(buffer, size, offset, contents, sizeof(*contents));
}

static ssize_t read_vm(struct file *file, char __user *buffer, size_t size, loff_t *offset)
{
	struct contents *contents = kvzalloc(sizeof(*contents), GFP_KERNEL_ACCOUNT);
	ssize_t result;

	if (!contents)
		return -ENOMEM;
	begin(contents);
	describe_vm(contents, file->private_data);
	result = copy(contents, buffer, size, offset);
	kvfree(contents);
	return result;
}

static ssize_t read_vcpu(struct file *file, char __user *buffer, size_t size, loff_t *offset)
{
	struct contents *contents = kvzalloc(sizeof(*contents), GFP_KERNEL_ACCOUNT);
	ssize_t result;

	if (!contents)
		return -ENOMEM;
	begin(contents);
	describe_vcpu(contents, file->private_data);
	result = copy(contents, buffer, size, offset);
	kvfree(contents);
	return result;
}

static int release_vm(struct inode *inode, struct file *file)
{
	vm_put(file->private_data);
	return 0;
}

static int release_vcpu(struct inode *inode, struct file *file)
{
	struct vcpu *vcpu = file->private_data;

	vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vm_statistics = {
	.owner = THIS_MODULE,
	.read = read_vm,
	.release = release_vm,
	.llseek = noop_llseek,
};

static const struct file_operations vcpu_statistics = {
	.owner = THIS_MODULE,
	.read = read_vcpu,
	.release = release_vcpu,
	.llseek = noop_llseek,
};

/* As KVM's, the file can be read at any offset. */
static long open_file(const char *name, const struct file_operations *operations, void *of,
		      struct vm *vm)
{
	int descriptor = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (descriptor < 0)
		return descriptor;
	vm_get(vm);
	file = anon_inode_getfile(name, operations, of, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(descriptor);
		vm_put(vm);
		return PTR_ERR(file);
	}
	file->f_mode |= FMODE_PREAD;
	fd_install(descriptor, file);
	return descriptor;
}

long stats_open_vm(struct vm *vm)
{
	return open_file("apus-vm-stats", &vm_statistics, vm, vm);
}

long stats_open_vcpu(struct vcpu *vcpu)
{
	return open_file("apus-vcpu-stats", &vcpu_statistics, vcpu, vcpu->vm);
}
