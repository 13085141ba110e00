// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages of a slot were written: apus.h, KVM_MEM_LOG_DIRTY_PAGES. The monitor notes in one of
 * two logs; what stands in the other is collected in a bitmap of KVM's form.
 */
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vm.h"

struct dirty_log {
	unsigned long pages; /* of the slot */
	unsigned int live;   /* the log in which the monitor notes */
	struct apus_directory *logs[2];
	unsigned long *collected;
};

/* With all its pages. */
static struct apus_directory *create_pages(unsigned long count)
{
	struct apus_directory *directory = directory_create(count);
	unsigned long done;

	for (done = 0; directory && done < count; done++) {
		void *page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

		if (!page) {
			directory_free(directory);
			return NULL;
		}
		*directory_place(directory, done) = __pa(page);
		cond_resched();
	}
	return directory;
}

void log_free(struct dirty_log *log)
{
	if (!log)
		return;
	directory_free(log->logs[0]);
	directory_free(log->logs[1]);
	kvfree(log->collected);
	kfree(log);
}

/* For a slot of so many pages, of which all or none are said to be written; NULL: no memory. */
struct dirty_log *log_create(unsigned long pages, bool all_set)
{
	struct dirty_log *log = kzalloc(sizeof(*log), GFP_KERNEL_ACCOUNT);
	unsigned long count = DIV_ROUND_UP(pages, APUS_LOG_PAGE_BITS);

	if (!log)
		return NULL;
	log->pages = pages;
	log->logs[0] = create_pages(count);
	log->logs[1] = create_pages(count);
	log->collected = kvcalloc(BITS_TO_LONGS(pages), sizeof(long), GFP_KERNEL_ACCOUNT);
	if (log->logs[0] && log->logs[1] && log->collected) {
		if (all_set)
			bitmap_set(log->collected, 0, pages);
		return log;
	}
	log_free(log);
	return NULL;
}

/* Where the monitor shall note. */
u64 log_address(const struct dirty_log *log)
{
	return log ? __pa(log->logs[log->live]) : 0;
}

/* From the next generation of the slots on it notes in the other log. */
void log_turn(struct dirty_log *log)
{
	log->live ^= 1;
}

/* Takes over what stands in the log that no monitor uses any more. */
void log_collect(struct dirty_log *log)
{
	struct apus_directory *directory = log->logs[log->live ^ 1];
	unsigned long *to = log->collected;
	unsigned long *end = to + BITS_TO_LONGS(log->pages);
	unsigned long page;

	for (page = 0; to < end; page++) {
		unsigned long *from = __va(*directory_place(directory, page));
		unsigned int word;

		for (word = 0; word < PAGE_SIZE / sizeof(long) && to < end; word++)
			*to++ |= from[word];
		memset(from, 0, PAGE_SIZE);
		cond_resched();
	}
}

/* KVM's bitmaps are of 64-bit words. */
static size_t bytes_of_bits(unsigned long pages)
{
	return ALIGN(pages, 64) / 8;
}

/*
 * What was collected. It is no longer here then, or stays until log_clear() is told of it: a page that is
 * written before that is told of once more, for it was read-only from the moment of this call on.
 */
long log_read(struct dirty_log *log, void __user *bitmap, bool clears)
{
	size_t size = bytes_of_bits(log->pages);

	if (copy_to_user(bitmap, log->collected, size))
		return -EFAULT;
	if (clears)
		memset(log->collected, 0, size);
	return 0;
}

/* KVM_CLEAR_DIRTY_LOG: of what was collected, the pages that the caller names. */
long log_clear(struct dirty_log *log, const struct kvm_clear_dirty_log *request)
{
	unsigned long first = request->first_page, count = request->num_pages, word;
	const u64 __user *bitmap = request->dirty_bitmap;

	if (first % 64 || first > log->pages || count > log->pages - first)
		return -EINVAL;
	if (count % 64 && first + count != log->pages)
		return -EINVAL;
	for (word = 0; word < DIV_ROUND_UP(count, 64); word++) {
		u64 bits;

		if (get_user(bits, bitmap + word))
			return -EFAULT;
		log->collected[first / 64 + word] &= ~bits;
	}
	return 0;
}
