// SPDX-License-Identifier: GPL-2.0
/* KVM_X86_SET_MSR_FILTER: struct apus_msr_filter, which the monitor reads. */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vm.h"

struct msr_filter {
	struct apus_msr_filter *shared;
	size_t size; /* bytes of whole pages */
};

void msr_filter_free(struct msr_filter *filter)
{
	if (!filter)
		return;
	free_pages_exact(filter->shared, filter->size);
	kfree(filter);
}

u64 msr_filter_address(const struct msr_filter *filter)
{
	return filter ? __pa(filter->shared) : 0;
}

/* KVM's bitmaps are of words of 64 bits. */
static size_t bytes_of_bitmap(const struct kvm_msr_filter_range *range)
{
	return ALIGN((size_t)range->nmsrs, 64) / 8;
}

static long check_range(const struct kvm_msr_filter_range *range)
{
	if (!range->flags || range->flags & ~(KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE))
		return -EINVAL;
	return bytes_of_bitmap(range) > KVM_MSR_FILTER_MAX_BITMAP_SIZE ? -EINVAL : 0;
}

/* Bytes of all bitmaps, or -errno. Ranges of no MSR are none. */
static long measure(const struct kvm_msr_filter *wanted)
{
	long bytes = 0, error;
	unsigned int index;

	if (wanted->flags & ~KVM_MSR_FILTER_DEFAULT_DENY)
		return -EINVAL;
	for (index = 0; index < ARRAY_SIZE(wanted->ranges); index++) {
		const struct kvm_msr_filter_range *range = &wanted->ranges[index];

		if (!range->nmsrs)
			continue;
		error = check_range(range);
		if (error)
			return error;
		bytes += bytes_of_bitmap(range);
	}
	/* As KVM: what denies everything is taken for a mistake. */
	if (!bytes && wanted->flags & KVM_MSR_FILTER_DEFAULT_DENY)
		return -EINVAL;
	return bytes;
}

static struct msr_filter *allocate(size_t size)
{
	struct msr_filter *filter = kzalloc(sizeof(*filter), GFP_KERNEL_ACCOUNT);

	if (!filter)
		return NULL;
	filter->size = PAGE_ALIGN(size);
	filter->shared = alloc_pages_exact(filter->size, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (filter->shared)
		return filter;
	kfree(filter);
	return NULL;
}

static long fill(struct apus_msr_filter *shared, const struct kvm_msr_filter *wanted)
{
	size_t offset = sizeof(*shared);
	unsigned int index;

	BUILD_BUG_ON(ARRAY_SIZE(wanted->ranges) > APUS_MSR_RANGES);
	shared->denies_others = !!(wanted->flags & KVM_MSR_FILTER_DEFAULT_DENY);
	for (index = 0; index < ARRAY_SIZE(wanted->ranges); index++) {
		const struct kvm_msr_filter_range *range = &wanted->ranges[index];

		if (!range->nmsrs)
			continue;
		if (copy_from_user((void *)shared + offset, (const void __user *)range->bitmap,
				   bytes_of_bitmap(range)))
			return -EFAULT;
		shared->ranges[shared->count++] = (struct apus_msr_range) {
			.first = range->base,
			.count = range->nmsrs,
			.accesses = range->flags,
			.bitmap = offset,
		};
		offset += bytes_of_bitmap(range);
	}
	return 0;
}

/* All is copied before any lock is taken: an access to a client's memory may take for ever. */
long msr_filter_set(struct vm *vm, const void __user *argument)
{
	struct kvm_msr_filter wanted;
	struct msr_filter *filter = NULL;
	long bytes, error;

	if (copy_from_user(&wanted, argument, sizeof(wanted)))
		return -EFAULT;
	bytes = measure(&wanted);
	if (bytes < 0)
		return bytes;
	if (bytes) {
		filter = allocate(sizeof(*filter->shared) + bytes);
		if (!filter)
			return -ENOMEM;
		error = fill(filter->shared, &wanted);
		if (error) {
			msr_filter_free(filter);
			return error;
		}
	}
	return slots_set_msr_filter(vm, filter);
}
