// SPDX-License-Identifier: GPL-2.0
/* KVM_SET_USER_MEMORY_REGION, and how the monitor learns of it. */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/processor.h>

#include "vm.h"

#define FOLLOW_MS 20
#define STOP_MS 1000
/* Mapping a large slot in small pages takes its time. */
#define ADD_MS 30000
/* As KVM's KVM_MEM_MAX_NR_PAGES. */
#define MOST_PAGES ((1ull << 31) - 1)
/* Nested tables have four levels. */
#define MOST_ADDRESS_BITS 48

static int check_region(const struct kvm_userspace_memory_region *region)
{
	u64 end = region->guest_phys_addr + region->memory_size;
	unsigned int bits = min_t(unsigned int, boot_cpu_data.x86_phys_bits, MOST_ADDRESS_BITS);

	if (region->slot >= APUS_SLOTS || region->flags & ~(KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES))
		return -EINVAL;
	if (!PAGE_ALIGNED(region->memory_size) || !PAGE_ALIGNED(region->guest_phys_addr) ||
	    !PAGE_ALIGNED(region->userspace_addr))
		return -EINVAL;
	if (end < region->guest_phys_addr || end > 1ull << bits)
		return -EINVAL;
	if (region->memory_size >> PAGE_SHIFT > MOST_PAGES)
		return -EINVAL;
	if (!access_ok((void __user *)region->userspace_addr, region->memory_size))
		return -EINVAL;
	return 0;
}

static bool overlaps_another(struct vm *vm, const struct kvm_userspace_memory_region *region)
{
	u64 end = region->guest_phys_addr + region->memory_size;
	unsigned int id;

	for (id = 0; id < APUS_SLOTS; id++) {
		const struct slot *other = &vm->slots[id];

		if (id != region->slot && other->size && region->guest_phys_addr <
		    other->guest_address + other->size && other->guest_address < end)
			return true;
	}
	return false;
}

static void write_slot(struct apus_slot *target, const struct slot *slot)
{
	*target = (struct apus_slot) {
		.guest_address = slot->guest_address,
		.size = slot->size,
		.log = log_address(slot->log),
		.log_sequence = slot->log_sequence,
		.flags = slot->flags & KVM_MEM_READONLY ? APUS_SLOT_READONLY : 0,
		.generation = slot->generation,
	};
	/* The first write to a page of a slot with a log makes it writable: none may be here. */
	if (slot->mirror || slot->flags & KVM_MEM_READONLY)
		target->log = 0;
	if (slot->mirror) {
		target->pages = mirror_address(slot->mirror);
		target->flags |= APUS_SLOT_PAGES | APUS_SLOT_DEVICE;
	} else if (slot->size) {
		target->pages = __pa(slot->pinned.first);
	}
}

static bool becomes_idle(struct vcpu *vcpu, u32 generation, unsigned int milliseconds)
{
	unsigned long end = jiffies + msecs_to_jiffies(milliseconds);

	while (!vcpu_is_idle(vcpu, generation) && time_before(jiffies, end))
		usleep_range(20, 50);
	return vcpu_is_idle(vcpu, generation);
}

/* False if this vCPU neither followed nor stopped in time. */
static bool await_vcpu(struct vcpu *vcpu, u32 generation, unsigned int patience)
{
	bool idle;

	vcpu_kick(vcpu, APUS_REQUEST_MEMORY);
	if (becomes_idle(vcpu, generation, FOLLOW_MS))
		return true;
	/* It may sleep in KVM_RUN, as one that waits for SIPI: out with it for a moment. */
	atomic_inc(&vcpu->visitors);
	vcpu_kick(vcpu, APUS_REQUEST_EXIT);
	idle = becomes_idle(vcpu, generation, patience);
	vcpu_leave(vcpu);
	return idle;
}

/*
 * Whoever still uses pages that are about to be freed has to go. A thread in KVM_RUN finds
 * the CPU stopped and gives it back before it lets go of the lock; where that fails, `lost`
 * keeps the pages.
 */
static void force_idle(struct vcpu *vcpu)
{
	pr_err("vCPU %u does not follow a change of memory\n", vcpu->id);
	vcpu_reset(vcpu);
	mutex_lock(&vcpu->lock);
	vcpu_break(vcpu);
	mutex_unlock(&vcpu->lock);
}

/* A monitor has followed: what went is out of its tables. */
static void note_followers(struct vm *vm, u32 generation)
{
	int id;

	for (id = 0; id < APUS_VCPUS; id++) {
		const struct vcpu *vcpu = vm->vcpus[id];

		if (vcpu && READ_ONCE(vcpu->control->slots_generation) == generation) {
			vm->followed_generation = generation;
			vm->tables_behind = 0;
			return;
		}
	}
}

/*
 * Puts the slots into force, and waits until no vCPU uses what was before. One that does not follow in so
 * many milliseconds loses its CPU: it might write to pages that are somebody else's by then, or read a
 * table that is written anew.
 */
static void publish(struct vm *vm, unsigned int patience)
{
	struct apus_vm *control = vm->control;
	u32 generation = control->slots_generation + 1;
	struct apus_slot *table = (void *)control + APUS_VM_PAGE_SLOTS * PAGE_SIZE;
	unsigned int id;
	int vcpu;

	BUILD_BUG_ON(2 * APUS_SLOTS * sizeof(*table) >
		     (APUS_VM_PAGE_MAPPED - APUS_VM_PAGE_SLOTS) * PAGE_SIZE);
	table += (generation & 1) * APUS_SLOTS;
	for (id = 0; id < APUS_SLOTS; id++)
		write_slot(&table[id], &vm->slots[id]);
	control->msr_filters[generation & 1] = msr_filter_address(vm->msr_filter);
	smp_store_release(&control->slots_generation, generation);
	smp_mb(); /* a CPU found idle below sees the new generation when it starts */
	for (vcpu = 0; vcpu < APUS_VCPUS; vcpu++) {
		struct vcpu *target = smp_load_acquire(&vm->vcpus[vcpu]);

		if (target && !await_vcpu(target, generation, patience))
			force_idle(target);
	}
	smp_store_release(&control->slots_settled, generation);
	note_followers(vm, generation);
}

/* The generation that the next publish() puts into force. */
static u32 next_generation(struct vm *vm)
{
	return vm->control->slots_generation + 1;
}

/* The slot goes from the guest's memory; its pages are the caller's. */
static void take_away(struct vm *vm, struct slot *slot)
{
	unsigned long tables = tables_needed(slot);
	bool was_followed = (s32)(vm->followed_generation - slot->generation) >= 0;
	u32 generation = next_generation(vm);

	memset(slot, 0, sizeof(*slot));
	slot->generation = generation;
	publish(vm, STOP_MS);
	if (was_followed && vm->followed_generation != generation)
		vm->tables_behind += tables;
}

static void put_in_force(struct vm *vm, struct slot *slot, const struct slot *fresh)
{
	*slot = *fresh;
	slot->generation = next_generation(vm);
	publish(vm, ADD_MS);
}

/* What is behind a slot that is not in force any more. */
static void release(struct vm *vm, struct slot *slot)
{
	if (slot->mirror)
		mirror_close(slot->mirror);
	pages_unpin(vm, &slot->pinned);
	if (!READ_ONCE(vm->lost))
		log_free(slot->log);
}

static void remove(struct vm *vm, struct slot *slot)
{
	struct slot old = *slot;

	take_away(vm, slot);
	release(vm, &old);
}

static int add_mirror(struct vm *vm, struct slot *slot, struct slot *fresh)
{
	int error;

	fresh->mirror = mirror_open(vm, fresh);
	if (IS_ERR(fresh->mirror))
		return PTR_ERR(fresh->mirror);
	error = tables_give(vm, fresh);
	if (error)
		mirror_close(fresh->mirror);
	else
		put_in_force(vm, slot, fresh);
	return error;
}

static struct dirty_log *create_log(const struct vm *vm, const struct slot *slot)
{
	return log_create(slot->size >> PAGE_SHIFT, vm->manual_log & KVM_DIRTY_LOG_INITIALLY_SET);
}

static int add(struct vm *vm, const struct kvm_userspace_memory_region *region)
{
	struct slot fresh = {
		.guest_address = region->guest_phys_addr,
		.size = region->memory_size,
		.user_address = region->userspace_addr,
		.flags = region->flags,
	};
	int error;

	if (pages_are_registers(vm, &fresh))
		return add_mirror(vm, &vm->slots[region->slot], &fresh);
	error = pages_pin(vm, &fresh);
	if (error)
		return error;
	error = -ENOMEM;
	if (fresh.flags & KVM_MEM_LOG_DIRTY_PAGES) {
		fresh.log = create_log(vm, &fresh);
		if (!fresh.log)
			goto unpin;
	}
	error = tables_give(vm, &fresh);
	if (error)
		goto unpin;
	put_in_force(vm, &vm->slots[region->slot], &fresh);
	return 0;

unpin:
	log_free(fresh.log);
	pages_unpin(vm, &fresh.pinned);
	return error;
}

static int move(struct vm *vm, const struct kvm_userspace_memory_region *region)
{
	struct slot *slot = &vm->slots[region->slot];
	struct slot moved = *slot;
	int error;

	moved.guest_address = region->guest_phys_addr;
	error = tables_give(vm, &moved);
	if (error)
		return error;
	take_away(vm, slot);
	if (moved.mirror)
		mirror_move(moved.mirror, moved.guest_address);
	pages_move(&moved.pinned, moved.guest_address >> PAGE_SHIFT);
	put_in_force(vm, slot, &moved);
	return 0;
}

/* Begins or ends the log of a slot: the guest goes on meanwhile. */
static int change_log(struct vm *vm, struct slot *slot, u32 flags)
{
	struct dirty_log *old = slot->log, *fresh = NULL;

	if ((slot->flags ^ flags) & ~KVM_MEM_LOG_DIRTY_PAGES)
		return -EINVAL;
	if (flags & KVM_MEM_LOG_DIRTY_PAGES) {
		fresh = create_log(vm, slot);
		if (!fresh)
			return -ENOMEM;
	}
	slot->log = fresh;
	slot->flags = flags;
	slot->log_sequence++;
	publish(vm, ADD_MS);
	if (!READ_ONCE(vm->lost))
		log_free(old);
	return 0;
}

static int change(struct vm *vm, const struct kvm_userspace_memory_region *region)
{
	struct slot *slot = &vm->slots[region->slot];
	bool stays = slot->size && region->guest_phys_addr == slot->guest_address;
	int error = 0;

	if (!region->memory_size) {
		if (!slot->size)
			return -EINVAL;
		remove(vm, slot);
		return 0;
	}
	if (slot->size && (region->userspace_addr != slot->user_address ||
			   region->memory_size != slot->size))
		return -EINVAL;
	/* Before anything changes. */
	if (!stays && overlaps_another(vm, region))
		return -EEXIST;
	if (!slot->size)
		return add(vm, region);
	if (region->flags != slot->flags)
		error = change_log(vm, slot, region->flags);
	return error || stays ? error : move(vm, region);
}

/* The region is the caller's copy. */
long slots_set(struct vm *vm, struct kvm_userspace_memory_region *region)
{
	long result = check_region(region);

	if (result)
		return result;
	region->slot = array_index_nospec(region->slot, APUS_SLOTS);
	if (mutex_lock_killable(&vm->slots_lock))
		return -EINTR;
	result = change(vm, region);
	mutex_unlock(&vm->slots_lock);
	return result;
}

/* A slot that has a log. Under vm->slots_lock. */
static struct slot *logged_slot(struct vm *vm, u32 id)
{
	struct slot *slot;

	if (id >= APUS_SLOTS)
		return ERR_PTR(-EINVAL);
	slot = &vm->slots[array_index_nospec(id, APUS_SLOTS)];
	return slot->log ? slot : ERR_PTR(-ENOENT);
}

static long get_log(struct vm *vm, const struct kvm_dirty_log *request)
{
	struct slot *slot = logged_slot(vm, request->slot);

	if (IS_ERR(slot))
		return PTR_ERR(slot);
	log_turn(slot->log);
	slot->log_sequence++;
	publish(vm, ADD_MS);
	log_collect(slot->log);
	return log_read(slot->log, request->dirty_bitmap, !vm->manual_log);
}

static long clear_log(struct vm *vm, const struct kvm_clear_dirty_log *request)
{
	struct slot *slot = logged_slot(vm, request->slot);

	return IS_ERR(slot) ? PTR_ERR(slot) : log_clear(slot->log, request);
}

/* KVM_GET_DIRTY_LOG: from here on each page's next write is noted once more. */
long slots_get_log(struct vm *vm, const struct kvm_dirty_log *request)
{
	long result;

	if (mutex_lock_killable(&vm->slots_lock))
		return -EINTR;
	result = get_log(vm, request);
	mutex_unlock(&vm->slots_lock);
	return result;
}

long slots_clear_log(struct vm *vm, const struct kvm_clear_dirty_log *request)
{
	long result;

	if (mutex_lock_killable(&vm->slots_lock))
		return -EINTR;
	result = clear_log(vm, request);
	mutex_unlock(&vm->slots_lock);
	return result;
}

/* Of logs that begin from now on: KVM_DIRTY_LOG_INITIALLY_SET; of all: who clears them. */
long slots_set_manual_log(struct vm *vm, u64 wish)
{
	if (wish & ~(u64)MANUAL_LOG || wish == KVM_DIRTY_LOG_INITIALLY_SET)
		return -EINVAL;
	if (mutex_lock_killable(&vm->slots_lock))
		return -EINTR;
	vm->manual_log = wish;
	mutex_unlock(&vm->slots_lock);
	return 0;
}

/*
 * The filter goes into force as slots do: when this returns, no vCPU uses the one before. What is given is
 * the VM's, or is freed if -EINTR is returned.
 */
int slots_set_msr_filter(struct vm *vm, struct msr_filter *filter)
{
	struct msr_filter *old;

	if (mutex_lock_killable(&vm->slots_lock)) {
		msr_filter_free(filter);
		return -EINTR;
	}
	old = vm->msr_filter;
	vm->msr_filter = filter;
	publish(vm, STOP_MS);
	if (!READ_ONCE(vm->lost))
		msr_filter_free(old);
	mutex_unlock(&vm->slots_lock);
	return 0;
}

int slots_allocate(struct vm *vm)
{
	vm->slots = kvcalloc(APUS_SLOTS, sizeof(*vm->slots), GFP_KERNEL_ACCOUNT);
	return vm->slots ? 0 : -ENOMEM;
}

/* When no vCPU has a CPU any more. */
void slots_free(struct vm *vm)
{
	unsigned int id;

	for (id = 0; id < APUS_SLOTS; id++) {
		if (vm->slots[id].size)
			release(vm, &vm->slots[id]);
	}
	if (READ_ONCE(vm->lost))
		return;
	memset(vm->slots, 0, APUS_SLOTS * sizeof(*vm->slots));
	msr_filter_free(vm->msr_filter);
	vm->msr_filter = NULL;
}
