// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages of a slot were written: struct apus_log_page of apus.h. The monitor notes in one of
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
	struct apus_log_page *logs[2];
	unsigned long *collected;
};

static struct apus_log_page *next_page(const struct apus_log_page *page)
{
	return page->next ? __va(page->next) : NULL;
}

static void free_pages_of(struct apus_log_page *page)
{
	while (page) {
		struct apus_log_page *next = next_page(page);
		unsigned int map;

		for (map = 0; map < APUS_LOG_MAPS && page->maps[map]; map++)
			free_page((unsigned long)__va(page->maps[map]));
		free_page((unsigned long)page);
		page = next;
	}
}

static struct apus_log_page *allocate_pages(unsigned long maps)
{
	struct apus_log_page *first = NULL, *last = NULL;
	unsigned long done;

	BUILD_BUG_ON(sizeof(*first) > PAGE_SIZE);
	for (done = 0; done < maps; done++) {
		void *map;

		if (done % APUS_LOG_MAPS == 0) {
			struct apus_log_page *page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

			if (!page)
				goto failed;
			if (last)
				last->next = __pa(page);
			else
				first = page;
			last = page;
		}
		map = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
		if (!map)
			goto failed;
		last->maps[done % APUS_LOG_MAPS] = __pa(map);
		cond_resched();
	}
	return first;
failed:
	free_pages_of(first);
	return NULL;
}

void log_free(struct dirty_log *log)
{
	if (!log)
		return;
	free_pages_of(log->logs[0]);
	free_pages_of(log->logs[1]);
	kvfree(log->collected);
	kfree(log);
}

/* For a slot of so many pages, of which all or none are said to be written; NULL: no memory. */
struct dirty_log *log_create(unsigned long pages, bool all_set)
{
	struct dirty_log *log = kzalloc(sizeof(*log), GFP_KERNEL_ACCOUNT);
	unsigned long maps = DIV_ROUND_UP(pages, APUS_LOG_MAP_BITS);

	if (!log)
		return NULL;
	log->pages = pages;
	log->logs[0] = allocate_pages(maps);
	log->logs[1] = allocate_pages(maps);
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
	struct apus_log_page *page = log->logs[log->live ^ 1];
	unsigned long *to = log->collected;
	unsigned long *end = to + BITS_TO_LONGS(log->pages);

	for (; page; page = next_page(page)) {
		unsigned int map;

		for (map = 0; map < APUS_LOG_MAPS && page->maps[map]; map++) {
			unsigned long *from = __va(page->maps[map]);
			unsigned int word;

			for (word = 0; word < PAGE_SIZE / sizeof(long) && to < end; word++)
				*to++ |= from[word];
			memset(from, 0, PAGE_SIZE);
			cond_resched();
		}
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
