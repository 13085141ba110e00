// SPDX-License-Identifier: GPL-2.0
/*
 * Slots that mirror the owner's page tables: what its process finds behind an address of a device's registers
 * is what the guest finds. A page comes when the guest accesses it first, and goes before the kernel takes it
 * from the process: VFIO does that whenever a device is reset, put to sleep or its memory switched off.
 *
 * The notifier may come at any time, also while a thread is in mirror_fault(); the order is that of
 * mmu_interval_read_begin(). It holds locks of the kernel's memory management, which an allocation may wait for:
 * so nothing is allocated under mirror_lock, and none of this driver's other mutexes is taken. It
 * waits for lent CPUs, and these wait for nobody but each other. docs/model/mirror.pml is the protocol.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/refcount.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "vm.h"

/* A vCPU that has not let go of a page by then loses its CPU. */
#define LET_GO_MS 1000

struct mirror {
	struct mmu_interval_notifier notifier;
	struct list_head node; /* of the VM's, under its mirror_lock */
	refcount_t users;
	struct vm *vm;
	u64 guest_address; /* under mirror_lock */
	u64 size;
	u64 user_address;
	bool writable;
	struct apus_directory *entries;
};

static void put_mirror(struct mirror *mirror)
{
	if (!refcount_dec_and_test(&mirror->users))
		return;
	/* A CPU that did not come back may still look up pages. */
	if (READ_ONCE(mirror->vm->lost))
		return;
	directory_free(mirror->entries);
	kfree(mirror);
}

/* The entries of so many pages from one on, or fewer: those that lie in one page. NULL: none was made. */
static u64 *entries_at(struct mirror *mirror, u64 page)
{
	u64 *place = directory_place(mirror->entries, page / APUS_PAGE_ENTRIES);

	return *place ? (u64 *)__va(*place) + page % APUS_PAGE_ENTRIES : NULL;
}

/* True if one of the pages was there. Under mirror_lock. */
static bool clear_entries(struct mirror *mirror, u64 first, u64 last)
{
	bool cleared = false;
	u64 page = first;

	while (page <= last) {
		u64 count = min(last + 1 - page, APUS_PAGE_ENTRIES - page % APUS_PAGE_ENTRIES);
		u64 *entry = entries_at(mirror, page);

		page += count;
		for (; entry && count; count--, entry++) {
			cleared |= *entry != 0;
			WRITE_ONCE(*entry, 0);
		}
	}
	return cleared;
}

/* G1 of docs/model. Under mirror_lock. */
static void announce(struct mirror *mirror, u64 first, u64 last)
{
	struct apus_vm *control = mirror->vm->control;
	u32 number = control->revocations + 1;
	u64 guest_frame = mirror->guest_address >> PAGE_SHIFT;

	control->revoked[number % APUS_REVOKED] = (struct apus_revoked) {
		.first_frame = guest_frame + first, .last_frame = guest_frame + last,
	};
	smp_store_release(&control->revocations, number);
}

static bool all_let_go(struct vm *vm, u32 number)
{
	int id;

	for (id = 0; id < APUS_VCPUS; id++) {
		struct vcpu *vcpu = smp_load_acquire(&vm->vcpus[id]);

		if (vcpu && !vcpu_let_go(vcpu, number))
			return false;
	}
	return true;
}

static void tell(struct vm *vm, u32 number, void (*act)(struct vcpu *vcpu))
{
	int id;

	for (id = 0; id < APUS_VCPUS; id++) {
		struct vcpu *vcpu = smp_load_acquire(&vm->vcpus[id]);

		if (vcpu && !vcpu_let_go(vcpu, number))
			act(vcpu);
	}
}

static void kick(struct vcpu *vcpu)
{
	vcpu_kick(vcpu, APUS_REQUEST_MEMORY);
}

/* INIT stops a guest at once, and one that the monitor was about to enter. */
static void stop(struct vcpu *vcpu)
{
	pr_err("vCPU %u does not let go of a device's memory\n", vcpu->id);
	vcpu_reset(vcpu);
}

/* A vCPU that maps a large slot for the first time follows when it has done that: slots.c waits for it. */
static bool has_settled(const struct vm *vm)
{
	return READ_ONCE(vm->control->slots_generation) == READ_ONCE(vm->control->slots_settled);
}

/* When this returns no guest reaches what was revoked, by whichever call. */
static void await_letting_go(struct vm *vm)
{
	u32 number = READ_ONCE(vm->control->revocations);
	unsigned long end = jiffies + msecs_to_jiffies(LET_GO_MS);

	smp_mb(); /* a CPU found outside its guest below sees the number before it enters */
	if (all_let_go(vm, number))
		return;
	tell(vm, number, kick);
	while (!all_let_go(vm, number)) {
		if (time_after(jiffies, end) && has_settled(vm)) {
			tell(vm, number, stop);
			return;
		}
		usleep_range(5, 20);
	}
}

static bool on_invalidate(struct mmu_interval_notifier *notifier,
			  const struct mmu_notifier_range *range, unsigned long sequence)
{
	struct mirror *mirror = container_of(notifier, struct mirror, notifier);
	struct vm *vm = mirror->vm;
	u64 start = max_t(u64, range->start, mirror->user_address);
	u64 end = min_t(u64, range->end, mirror->user_address + mirror->size);
	u64 first = (start - mirror->user_address) >> PAGE_SHIFT;
	u64 last = (end - 1 - mirror->user_address) >> PAGE_SHIFT;

	if (!mmu_notifier_range_blockable(range))
		return false;
	mutex_lock(&vm->mirror_lock);
	mmu_interval_set_seq(notifier, sequence);
	if (clear_entries(mirror, first, last))
		announce(mirror, first, last);
	mutex_unlock(&vm->mirror_lock);
	/* Also for what another call has cleared, and still waits for. */
	await_letting_go(vm);
	return true;
}

static const struct mmu_interval_notifier_ops operations = {
	.invalidate = on_invalidate,
};

static struct mirror *allocate(struct vm *vm, const struct slot *slot)
{
	struct mirror *mirror = kzalloc(sizeof(*mirror), GFP_KERNEL_ACCOUNT);

	if (!mirror)
		return NULL;
	refcount_set(&mirror->users, 1);
	mirror->vm = vm;
	mirror->guest_address = slot->guest_address;
	mirror->size = slot->size;
	mirror->user_address = slot->user_address;
	mirror->writable = !(slot->flags & KVM_MEM_READONLY);
	mirror->entries =
		directory_create(DIV_ROUND_UP(slot->size >> PAGE_SHIFT, APUS_PAGE_ENTRIES));
	if (mirror->entries)
		return mirror;
	kfree(mirror);
	return NULL;
}

/* For a slot that is not in force yet. Under vm->slots_lock. */
struct mirror *mirror_open(struct vm *vm, const struct slot *slot)
{
	struct mirror *mirror = allocate(vm, slot);
	int error;

	if (!mirror)
		return ERR_PTR(-ENOMEM);
	error = mmu_interval_notifier_insert(&mirror->notifier, vm->mm, slot->user_address,
					     slot->size, &operations);
	if (error) {
		put_mirror(mirror);
		return ERR_PTR(error);
	}
	mutex_lock(&vm->mirror_lock);
	list_add(&mirror->node, &vm->mirrors);
	mutex_unlock(&vm->mirror_lock);
	return mirror;
}

/* The slot is not in force any more, and no vCPU has a translation of it. */
void mirror_close(struct mirror *mirror)
{
	mutex_lock(&mirror->vm->mirror_lock);
	list_del(&mirror->node);
	mutex_unlock(&mirror->vm->mirror_lock);
	mmu_interval_notifier_remove(&mirror->notifier);
	put_mirror(mirror);
}

/* No vCPU has a translation of it at the moment. */
void mirror_move(struct mirror *mirror, u64 guest_address)
{
	mutex_lock(&mirror->vm->mirror_lock);
	mirror->guest_address = guest_address;
	mutex_unlock(&mirror->vm->mirror_lock);
}

u64 mirror_address(const struct mirror *mirror)
{
	return __pa(mirror->entries);
}

/* The page of the slot that an address lies in, and a reference. */
static struct mirror *find(struct vm *vm, u64 guest_address, u64 *page)
{
	struct mirror *mirror, *found = NULL;

	mutex_lock(&vm->mirror_lock);
	list_for_each_entry(mirror, &vm->mirrors, node) {
		if (guest_address - mirror->guest_address >= mirror->size)
			continue;
		refcount_inc(&mirror->users);
		*page = (guest_address - mirror->guest_address) >> PAGE_SHIFT;
		found = mirror;
		break;
	}
	mutex_unlock(&vm->mirror_lock);
	return found;
}

/* The entry for a page that is in the process's page tables; 0: none is. Under mmap_lock. */
static u64 look_up(struct vm_area_struct *area, u64 address, bool slot_is_writable)
{
	unsigned long frame;
	bool writable;

	if (apus_follow_pfn(area, address, &frame, &writable))
		return 0;
	/* Memory of the kernel's, which is not uncached: the client goes on having it for itself. */
	if (page_is_ram(frame))
		return 0;
	return (u64)frame << PAGE_SHIFT | APUS_PAGE_PRESENT |
	       (writable && slot_is_writable ? APUS_PAGE_WRITABLE : 0);
}

static struct vm_area_struct *find_area(struct vm *vm, u64 address)
{
	struct vm_area_struct *area = find_vma(vm->mm, address);

	return area && area->vm_start <= address && area->vm_flags & VM_PFNMAP ? area : NULL;
}

static bool suffices(u64 entry, bool write)
{
	return entry & APUS_PAGE_PRESENT && (!write || entry & APUS_PAGE_WRITABLE);
}

/* What `page` needs, after a page fault of the process if it must be. Under mmap_lock. */
static u64 look_up_or_fault(struct mirror *mirror, u64 page, bool write)
{
	u64 address = mirror->user_address + (page << PAGE_SHIFT), entry;
	struct vm *vm = mirror->vm;
	struct vm_area_struct *area = find_area(vm, address);
	bool unlocked = false;

	entry = area ? look_up(area, address, mirror->writable) : 0;
	if (!area || suffices(entry, write))
		return entry;
	if (fixup_user_fault(vm->mm, address, write ? FAULT_FLAG_WRITE : 0, &unlocked))
		return 0;
	area = find_area(vm, address);
	return area ? look_up(area, address, mirror->writable) : 0;
}

/*
 * The entries around a page, from `first` on: what VFIO has mapped along with it, or before, saves an exit
 * for each. False: that page is not to be had.
 */
static bool collect(struct mirror *mirror, u64 page, bool write, u64 first, u64 *entries)
{
	struct vm *vm = mirror->vm;
	u64 end = min_t(u64, first + APUS_PAGE_ENTRIES, mirror->size >> PAGE_SHIFT), near;
	bool found = false;

	if (mmap_read_lock_killable(vm->mm))
		return false;
	entries[page - first] = look_up_or_fault(mirror, page, write);
	found = suffices(entries[page - first], write);
	for (near = first; found && near < end; near++) {
		u64 address = mirror->user_address + (near << PAGE_SHIFT);
		struct vm_area_struct *area = find_area(vm, address);

		if (near != page)
			entries[near - first] =
				area ? look_up(area, address, mirror->writable) : 0;
	}
	mmap_read_unlock(vm->mm);
	return found;
}

/* Under mirror_lock. True if `fresh` has become a page of entries. */
static bool store(struct mirror *mirror, u64 first, const u64 *entries, u64 *fresh)
{
	u64 *place = directory_place(mirror->entries, first / APUS_PAGE_ENTRIES);
	unsigned int index;
	u64 *target = *place ? __va(*place) : fresh;

	for (index = 0; index < APUS_PAGE_ENTRIES; index++)
		WRITE_ONCE(target[index], entries[index]);
	if (target != fresh)
		return false;
	smp_store_release(place, __pa(fresh));
	return true;
}

/* The process's pages as they are now, unless they change meanwhile: then once more. */
static u32 find_pages(struct mirror *mirror, u64 page, bool write, u64 *entries, u64 **fresh)
{
	u64 first = round_down(page, APUS_PAGE_ENTRIES);
	unsigned long sequence;
	bool settled;

	do {
		if (signal_pending(current))
			return APUS_PAGE_RETRY;
		memset(entries, 0, PAGE_SIZE);
		sequence = mmu_interval_read_begin(&mirror->notifier);
		if (!collect(mirror, page, write, first, entries))
			return APUS_PAGE_CLIENT;
		mutex_lock(&mirror->vm->mirror_lock);
		settled = !mmu_interval_read_retry(&mirror->notifier, sequence);
		if (settled && store(mirror, first, entries, *fresh))
			*fresh = NULL;
		mutex_unlock(&mirror->vm->mirror_lock);
	} while (!settled);
	return APUS_PAGE_RETRY;
}

/*
 * The vCPU's guest has accessed a page that it does not have: enum apus_page_answer. In the owner's process;
 * the vCPU does nothing meanwhile.
 */
u32 mirror_fault(struct vcpu *vcpu)
{
	u64 address = vcpu->control->page_address, page;
	bool write = vcpu->control->page_written;
	struct mirror *mirror = find(vcpu->vm, address, &page);
	u64 *entries, *fresh;
	u32 answer = APUS_PAGE_CLIENT;

	BUILD_BUG_ON(APUS_PAGE_ENTRIES * sizeof(u64) != PAGE_SIZE);
	if (!mirror)
		return answer;
	entries = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	fresh = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (entries && fresh)
		answer = find_pages(mirror, page, write, entries, &fresh);
	free_page((unsigned long)entries);
	free_page((unsigned long)fresh);
	put_mirror(mirror);
	return answer;
}
