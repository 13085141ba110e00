// SPDX-License-Identifier: GPL-2.0
/*
 * A page below 1 MiB, where SIPI can start a CPU. Linux reserves the whole first MiB at
 * boot and keeps its own real-mode code near the top of it; the page taken here is far
 * below, and gets its content back.
 */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "lend.h"

#define LOWEST 0x10000 /* firmware is known to scribble on the first 64 KiB */
#define HIGHEST 0x60000

static bool is_suitable(phys_addr_t address)
{
	unsigned long frame = PHYS_PFN(address);

	return page_is_ram(frame) && pfn_valid(frame) && PageReserved(pfn_to_page(frame));
}

int borrow(struct borrowed *borrowed)
{
	phys_addr_t address = LOWEST;

	while (!is_suitable(address)) {
		address += PAGE_SIZE;
		if (address >= HIGHEST) {
			pr_err("no page of reserved memory below 1 MiB\n");
			return -ENOMEM;
		}
	}
	borrowed->page = memremap(address, PAGE_SIZE, MEMREMAP_WB);
	if (!borrowed->page)
		return -ENOMEM;
	borrowed->saved = kmemdup(borrowed->page, PAGE_SIZE, GFP_KERNEL);
	if (!borrowed->saved) {
		memunmap(borrowed->page);
		return -ENOMEM;
	}
	borrowed->address = address;
	return 0;
}

void borrow_end(struct borrowed *borrowed)
{
	memcpy(borrowed->page, borrowed->saved, PAGE_SIZE);
	memunmap(borrowed->page);
	kfree(borrowed->saved);
}
