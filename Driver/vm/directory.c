// SPDX-License-Identifier: GPL-2.0
/* struct apus_directory of apus.h: many pages by index, for the monitor to find. */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/sched.h>

#include "vm.h"

static struct apus_directory *next_link(const struct apus_directory *link)
{
	return link->next ? __va(link->next) : NULL;
}

void directory_free(struct apus_directory *link)
{
	while (link) {
		struct apus_directory *next = next_link(link);
		unsigned int page;

		for (page = 0; page < APUS_DIRECTORY_PAGES; page++)
			if (link->pages[page])
				free_page((unsigned long)__va(link->pages[page]));
		free_page((unsigned long)link);
		link = next;
	}
}

/* Room for so many pages, and none of them there yet; NULL: no memory. */
struct apus_directory *directory_create(unsigned long pages)
{
	struct apus_directory *first = NULL, *last = NULL;
	unsigned long room;

	BUILD_BUG_ON(sizeof(*first) > PAGE_SIZE);
	for (room = 0; room < pages; room += APUS_DIRECTORY_PAGES) {
		struct apus_directory *link = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

		if (!link) {
			directory_free(first);
			return NULL;
		}
		if (last)
			last->next = __pa(link);
		else
			first = link;
		last = link;
		cond_resched();
	}
	return first;
}

/* Where the physical address of a page stands that there is room for; 0 there: no such page yet. */
u64 *directory_place(struct apus_directory *link, unsigned long page)
{
	for (; page >= APUS_DIRECTORY_PAGES; page -= APUS_DIRECTORY_PAGES)
		link = next_link(link);
	return &link->pages[page];
}
