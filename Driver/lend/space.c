// SPDX-License-Identifier: GPL-2.0
/* The address space that a lent CPU's monitor lives in: its image, its area, its window. */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <asm/pgtable_types.h>

#include "lend.h"

#define TABLE (_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED)
#define DATA (_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_NX)
#define LOW (_PAGE_PRESENT | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY)

enum { ROOT, DIRECTORY_POINTERS, DIRECTORY, LOW_PAGES, WINDOW, TABLES };

struct apus_space {
	u64 *tables[TABLES];
	const struct apus_image *image;
	void *copy; /* the image, this CPU's own */
};

void *pages_near(int node, gfp_t where, unsigned int order)
{
	struct page *pages = alloc_pages_node(node, GFP_KERNEL | __GFP_ZERO | where, order);

	return pages ? page_address(pages) : NULL;
}

static int allocate_tables(struct apus_space *space, int node)
{
	int i;

	for (i = 0; i < TABLES; i++) {
		/* CR3 is loaded in 32-bit code: the root lies below 4 GiB. */
		gfp_t where = i == ROOT ? GFP_DMA32 : 0;

		space->tables[i] = pages_near(node, where, 0);
		if (!space->tables[i])
			return -ENOMEM;
	}
	return 0;
}

static void link_tables(struct apus_space *space)
{
	u64 **tables = space->tables;

	tables[ROOT][0] = __pa(tables[DIRECTORY_POINTERS]) | TABLE;
	tables[DIRECTORY_POINTERS][0] = __pa(tables[DIRECTORY]) | TABLE;
	tables[DIRECTORY][0] = __pa(tables[LOW_PAGES]) | TABLE;
	tables[DIRECTORY][APUS_WINDOW_BASE >> PMD_SHIFT] = __pa(tables[WINDOW]) | TABLE;
}

static void map_window(struct apus_space *space, void *area)
{
	u64 *window = space->tables[WINDOW];
	unsigned int page;

	window[APUS_WINDOW_TABLE] = __pa(window) | DATA;
	for (page = 0; page < APUS_CPU_PAGES; page++)
		if (page != APUS_CPU_PAGE_GUARD)
			window[APUS_WINDOW_CPU + page] = (__pa(area) + page * PAGE_SIZE) | DATA;
}

static void map_image(struct apus_space *space)
{
	unsigned int count = image_size(space->image) / PAGE_SIZE;
	u64 *entries = space->tables[LOW_PAGES] + APUS_IMAGE_BASE / PAGE_SIZE;
	unsigned int page;

	for (page = 0; page < count; page++) {
		unsigned long frame = vmalloc_to_pfn(space->copy + page * PAGE_SIZE);
		u64 flags = image_page_flags(space->image, page);

		if (flags)
			entries[page] = PFN_PHYS(frame) | flags;
	}
}

struct apus_space *space_create(const struct apus_image *image, void *area, int node)
{
	struct apus_space *space = kzalloc(sizeof(*space), GFP_KERNEL);

	BUILD_BUG_ON(APUS_WINDOW_PAGES != PTRS_PER_PTE);
	if (!space)
		return NULL;
	space->image = image;
	space->copy = vzalloc_node(image_size(image), node);
	if (!space->copy || allocate_tables(space, node)) {
		space_free(space);
		return NULL;
	}
	image_copy(image, space->copy);
	link_tables(space);
	map_window(space, area);
	map_image(space);
	return space;
}

void space_free(struct apus_space *space)
{
	int i;

	if (!space)
		return;
	for (i = 0; i < TABLES; i++)
		free_page((unsigned long)space->tables[i]);
	vfree(space->copy);
	kfree(space);
}

/* The image as it was, for a monitor that has to be started again. */
void space_renew(struct apus_space *space)
{
	image_copy(space->image, space->copy);
}

void space_map_low(struct apus_space *space, phys_addr_t page)
{
	WRITE_ONCE(space->tables[LOW_PAGES][page >> PAGE_SHIFT], page | LOW);
}

void space_unmap_low(struct apus_space *space, phys_addr_t page)
{
	WRITE_ONCE(space->tables[LOW_PAGES][page >> PAGE_SHIFT], 0);
}

u64 space_root(const struct apus_space *space)
{
	return __pa(space->tables[ROOT]);
}
