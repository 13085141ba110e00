// SPDX-License-Identifier: GPL-2.0
/* The host's pages behind a memory slot, and pages for the tables that map them. */
#include <linux/gfp.h>
#include <linux/hugetlb_inline.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "vm.h"

#define CHUNK 512u /* pages pinned at a time */

static struct apus_extent_page *add_extent_page(struct apus_extent_page *last,
						struct pinned *pinned)
{
	struct apus_extent_page *page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

	BUILD_BUG_ON(sizeof(*page) > PAGE_SIZE);
	if (!page)
		return NULL;
	if (last)
		last->next = __pa(page);
	else
		pinned->first = page;
	return page;
}

static struct apus_extent_page *next_extent_page(struct apus_extent_page *page)
{
	return page->next ? __va(page->next) : NULL;
}

/* Where pinning stands: the page and the extent that grow. */
struct cursor {
	struct pinned *pinned;
	struct apus_extent_page *page;
	u64 guest_frame;
};

static int append(struct cursor *cursor, unsigned long frame)
{
	struct apus_extent_page *page = cursor->page;
	struct apus_extent *last = page && page->count ? &page->extents[page->count - 1] : NULL;

	if (last && last->frame + last->count == frame) {
		last->count++;
	} else {
		if (!page || page->count == APUS_EXTENTS) {
			page = add_extent_page(page, cursor->pinned);
			if (!page)
				return -ENOMEM;
			cursor->page = page;
		}
		page->extents[page->count++] = (struct apus_extent) {
			.guest_frame = cursor->guest_frame, .frame = frame, .count = 1,
		};
	}
	cursor->guest_frame++;
	cursor->pinned->pages++;
	return 0;
}

/*
 * A guest writes to its pages without telling the file system whose they are: it would find them dirty that it has
 * cleaned, without room on its disk and without a journal entry. From 6.5 on the kernel refuses such pins by
 * itself.
 */
static bool is_file_systems(struct page *page)
{
	struct folio *folio = page_folio(page);

	return folio_mapping(folio) && !folio_test_swapbacked(folio) && !PageHuge(&folio->page);
}

/* Pages that were pinned; what could not be noted down is unpinned again. */
static int append_all(struct cursor *cursor, struct page **pages, int count)
{
	bool writable = cursor->pinned->writable;
	int index, error;

	for (index = 0; index < count; index++) {
		error = writable && is_file_systems(pages[index]) ? -EOPNOTSUPP :
			append(cursor, page_to_pfn(pages[index]));
		if (error) {
			unpin_user_pages(pages + index, count - index);
			return error;
		}
	}
	return 0;
}

static int pin_chunk(u64 address, unsigned int count, u32 flags, struct page **pages)
{
	int result = pin_user_pages_fast(address, count, FOLL_WRITE | FOLL_LONGTERM, pages);

	/* A ROM may be mapped for reading only. */
	if (result == -EFAULT && flags & KVM_MEM_READONLY)
		result = pin_user_pages_fast(address, count, FOLL_LONGTERM, pages);
	return result ? result : -EFAULT;
}

static int pin_all(struct slot *slot, struct page **pages)
{
	struct cursor cursor = {
		.pinned = &slot->pinned, .guest_frame = slot->guest_address >> PAGE_SHIFT,
	};
	unsigned long wanted = slot->size >> PAGE_SHIFT;

	while (slot->pinned.pages < wanted) {
		u64 address = slot->user_address + slot->pinned.pages * PAGE_SIZE;
		unsigned int count = min_t(unsigned long, wanted - slot->pinned.pages, CHUNK);
		int result;

		if (fatal_signal_pending(current))
			return -EINTR;
		result = pin_chunk(address, count, slot->flags, pages);
		if (result > 0)
			result = append_all(&cursor, pages, result);
		if (result < 0)
			return result;
		cond_resched();
	}
	return 0;
}

/* Whether a pin failed for what is_file_systems() says. */
static bool is_mapped_file(struct vm *vm, u64 address)
{
	struct vm_area_struct *area;
	bool is_file;

	mmap_read_lock(vm->mm);
	area = vma_lookup(vm->mm, address);
	is_file = area && area->vm_file && area->vm_flags & VM_SHARED && area->vm_flags & VM_WRITE &&
		  area->vm_ops && area->vm_ops->page_mkwrite;
	mmap_read_unlock(vm->mm);
	return is_file;
}

/* The error in terms of what the client can do about it. */
static int explain(struct vm *vm, const struct slot *slot, int error)
{
	u64 address = slot->user_address + slot->pinned.pages * PAGE_SIZE;

	if (error == -EFAULT && slot->pinned.writable && is_mapped_file(vm, address))
		error = -EOPNOTSUPP;
	if (error == -EOPNOTSUPP)
		pr_info_ratelimited("process %d: a guest cannot write to a mapped file's memory; use memfd, shared or huge pages\n",
				    vm->process);
	return error;
}

/* A mapping of a device's registers, as VFIO makes them: there is no memory to pin. */
bool pages_are_registers(struct vm *vm, const struct slot *slot)
{
	struct vm_area_struct *area;
	bool registers;

	mmap_read_lock(vm->mm);
	area = find_vma(vm->mm, slot->user_address);
	registers = area && area->vm_flags & VM_PFNMAP && area->vm_start <= slot->user_address &&
		    area->vm_end - slot->user_address >= slot->size;
	mmap_read_unlock(vm->mm);
	return registers;
}

/* Of the slot's pages, those that come from the pools of huge pages: set aside already. */
static unsigned long pages_from_pools(struct vm *vm, const struct slot *slot)
{
	u64 at = slot->user_address, end = at + slot->size;
	struct vm_area_struct *area;
	unsigned long size = 0;

	mmap_read_lock(vm->mm);
	for (area = find_vma(vm->mm, at); area && area->vm_start < end;
	     area = find_vma(vm->mm, area->vm_end)) {
		if (is_vm_hugetlb_page(area))
			size += min_t(u64, area->vm_end, end) - max_t(u64, area->vm_start, at);
	}
	mmap_read_unlock(vm->mm);
	return size >> PAGE_SHIFT;
}

/* What the client has populated, and no slot has pinned yet. */
static unsigned long populated_for_later(struct vm *vm)
{
	unsigned long resident = get_mm_rss(vm->mm), pinned = 0;
	unsigned int id;

	for (id = 0; id < APUS_SLOTS; id++)
		pinned += vm->slots[id].pinned.resident;
	return resident > pinned ? resident - pinned : 0;
}

/*
 * Pinning populates: without this, a slot larger than memory would have the host kill
 * other processes before it fails. What the client has populated already is counted as
 * used, so it is added to what is available.
 */
static bool fits_into_memory(struct vm *vm, unsigned long pages)
{
	long available = si_mem_available();

	return pages <= (unsigned long)max(available, 0l) + populated_for_later(vm);
}

/* Under vm->slots_lock. */
int pages_pin(struct vm *vm, struct slot *slot)
{
	unsigned long count = slot->size >> PAGE_SHIFT;
	unsigned long resident = count - pages_from_pools(vm, slot);
	struct page **pages;
	int error;

	if (!fits_into_memory(vm, resident))
		return -ENOMEM;
	error = account_pin(vm, count);
	if (error)
		return error;
	slot->pinned.charged = count;
	slot->pinned.resident = resident;
	/* A file that the client may only read must not get dirty. */
	slot->pinned.writable = !(slot->flags & KVM_MEM_READONLY);
	pages = kmalloc_array(CHUNK, sizeof(*pages), GFP_KERNEL);
	error = pages ? pin_all(slot, pages) : -ENOMEM;
	kfree(pages);
	if (error) {
		error = explain(vm, slot, error);
		pages_unpin(vm, &slot->pinned);
	}
	return error;
}

static void unpin_extent(const struct apus_extent *extent, bool written)
{
	u64 done, step;

	for (done = 0; done < extent->count; done += step) {
		step = min_t(u64, extent->count - done, CHUNK);
		unpin_user_page_range_dirty_lock(pfn_to_page(extent->frame + done), step,
						 written);
		cond_resched();
	}
}

/* No CPU uses the pages any more. */
void pages_unpin(struct vm *vm, struct pinned *pinned)
{
	struct apus_extent_page *page = pinned->first;

	if (READ_ONCE(vm->lost))
		return;
	while (page) {
		struct apus_extent_page *next = next_extent_page(page);
		u64 index;

		for (index = 0; index < page->count; index++)
			unpin_extent(&page->extents[index], pinned->writable);
		free_page((unsigned long)page);
		page = next;
	}
	account_unpin(vm, pinned->charged);
	memset(pinned, 0, sizeof(*pinned));
}

/* The same pages at another guest address. */
void pages_move(struct pinned *pinned, u64 guest_frame)
{
	struct apus_extent_page *page;
	u64 index;

	for (page = pinned->first; page; page = next_extent_page(page)) {
		for (index = 0; index < page->count; index++) {
			page->extents[index].guest_frame = guest_frame;
			guest_frame += page->extents[index].count;
		}
	}
}

static u64 touched(u64 first, u64 last, unsigned int shift)
{
	return (last >> shift) - (first >> shift) + 1;
}

/* Enough for the slot in pages of 4 KiB: tables of three levels below the root. */
unsigned long tables_needed(const struct slot *slot)
{
	u64 first = slot->guest_address;
	u64 last = first + slot->size - 1;

	return touched(first, last, PMD_SHIFT) + touched(first, last, PUD_SHIFT) +
	       touched(first, last, P4D_SHIFT);
}

/* The owner's RLIMIT_MEMLOCK is charged with so many of the tables. Less never fails. */
static int charge_tables(struct vm *vm, unsigned long pages)
{
	int error = 0;

	if (pages > vm->tables_charged)
		error = account_pin(vm, pages - vm->tables_charged);
	else
		account_unpin(vm, vm->tables_charged - pages);
	if (!error)
		vm->tables_charged = pages;
	return error;
}

/* Tables that the slots of the moment may need, this one, and those that the monitor has not let go. */
static unsigned long all_tables_needed(struct vm *vm, const struct slot *slot)
{
	unsigned long needed = tables_needed(slot) + vm->tables_behind;
	unsigned int id;

	for (id = 0; id < APUS_SLOTS; id++)
		if (vm->slots[id].size)
			needed += tables_needed(&vm->slots[id]);
	return needed;
}

/*
 * The monitor keeps what it got until the VM is gone, and uses it again. What the slots of the moment need
 * comes with the pages that they pin; the rest, of slots that went, is charged to the owner.
 */
static int permit_tables(struct vm *vm, unsigned long pages, unsigned long needed)
{
	if (pages > totalram_pages() / 8)
		return -ENOMEM;
	return charge_tables(vm, pages > needed ? pages - needed : 0);
}

static void free_list(struct list_head *list)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, list, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}

/* Zeroed pages in a list, and in the chain that the monitor reads. */
static int allocate_tables(unsigned long count, struct list_head *list, u64 *chain)
{
	unsigned long done;

	for (done = 0; done < count; done++) {
		struct page *page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NORETRY);

		if (!page)
			return -ENOMEM;
		list_add(&page->lru, list);
		if (fatal_signal_pending(current))
			return -EINTR;
		*(u64 *)page_address(page) = *chain;
		*chain = page_to_phys(page);
		cond_resched();
	}
	return 0;
}

/* The chain comes before what the monitor has not taken yet. */
static void hand_over(struct vm *vm, const struct list_head *list, u64 chain)
{
	struct page *last = list_last_entry(list, struct page, lru);
	u64 *head = &vm->control->free_tables;
	u64 old;

	do {
		old = READ_ONCE(*head);
		*(u64 *)page_address(last) = old;
	} while (cmpxchg(head, old, chain) != old);
}

/* Under vm->slots_lock, before the slot is one of the VM's. */
int tables_give(struct vm *vm, const struct slot *slot)
{
	unsigned long needed = all_tables_needed(vm, slot), charged = vm->tables_charged;
	unsigned long more = needed > vm->table_pages ? needed - vm->table_pages : 0;
	LIST_HEAD(list);
	u64 chain = 0;
	int error = permit_tables(vm, vm->table_pages + more, needed);

	if (error || !more)
		return error;
	error = allocate_tables(more, &list, &chain);
	if (error) {
		free_list(&list);
		charge_tables(vm, min(charged, vm->tables_charged));
		return error;
	}
	hand_over(vm, &list, chain);
	list_splice(&list, &vm->tables);
	vm->table_pages += more;
	return 0;
}

void tables_free(struct vm *vm)
{
	free_list(&vm->tables);
	charge_tables(vm, 0);
	vm->table_pages = 0;
}
