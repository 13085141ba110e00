// SPDX-License-Identifier: GPL-2.0
/* KVM_SET_USER_MEMORY_REGION, and how the monitor learns of it. */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <asm/processor.h>

#include "vm.h"

#define FOLLOW_MS 20
#define STOP_MS 1000
/* As KVM's KVM_MEM_MAX_NR_PAGES. */
#define MOST_PAGES ((1ull << 31) - 1)
/* Nested tables have four levels. */
#define MOST_ADDRESS_BITS 48

static int check_region(const struct kvm_userspace_memory_region *region)
{
	u64 end = region->guest_phys_addr + region->memory_size;
	unsigned int bits = min_t(unsigned int, boot_cpu_data.x86_phys_bits, MOST_ADDRESS_BITS);

	if (region->slot >= APUS_SLOTS || region->flags & ~KVM_MEM_READONLY)
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
		.extents = slot->size ? __pa(slot->pinned.first) : 0,
		.tables = slot->tables,
		.flags = slot->flags & KVM_MEM_READONLY ? APUS_SLOT_READONLY : 0,
		.generation = slot->generation,
	};
}

static bool becomes_idle(struct vcpu *vcpu, u32 generation, unsigned int milliseconds)
{
	unsigned long end = jiffies + msecs_to_jiffies(milliseconds);

	while (!vcpu_is_idle(vcpu, generation) && time_before(jiffies, end))
		usleep_range(20, 50);
	return vcpu_is_idle(vcpu, generation);
}

/* False if this vCPU neither followed nor stopped in time. */
static bool await_vcpu(struct vcpu *vcpu, u32 generation)
{
	bool idle;

	vcpu_kick(vcpu, APUS_REQUEST_MEMORY);
	if (becomes_idle(vcpu, generation, FOLLOW_MS))
		return true;
	/* It may sleep in KVM_RUN, as one that waits for SIPI: out with it for a moment. */
	atomic_inc(&vcpu->visitors);
	vcpu_kick(vcpu, APUS_REQUEST_EXIT);
	idle = becomes_idle(vcpu, generation, STOP_MS);
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

static void publish(struct vm *vm, unsigned int id, bool takes_away)
{
	struct apus_vm *control = vm->control;
	u32 generation = control->slots_generation + 1;
	struct apus_slot *table = control->slots[generation & 1];
	unsigned int other;
	int vcpu;

	vm->slots[id].generation = generation;
	for (other = 0; other < APUS_SLOTS; other++)
		write_slot(&table[other], &vm->slots[other]);
	smp_store_release(&control->slots_generation, generation);
	smp_mb(); /* a CPU found idle below sees the new generation when it starts */
	for (vcpu = 0; vcpu < APUS_VCPUS; vcpu++) {
		struct vcpu *target = smp_load_acquire(&vm->vcpus[vcpu]);

		if (target && !await_vcpu(target, generation) && takes_away)
			force_idle(target);
	}
}

static void remove(struct vm *vm, unsigned int id)
{
	struct slot *slot = &vm->slots[id];
	struct pinned pinned = slot->pinned;

	memset(slot, 0, sizeof(*slot));
	publish(vm, id, true);
	pages_unpin(vm, &pinned);
}

static int add(struct vm *vm, const struct kvm_userspace_memory_region *region)
{
	struct slot *slot = &vm->slots[region->slot];
	struct slot fresh = {
		.guest_address = region->guest_phys_addr,
		.size = region->memory_size,
		.user_address = region->userspace_addr,
		.flags = region->flags,
	};
	int error = pages_pin(vm, &fresh);

	if (error)
		return error;
	error = tables_give(vm, &fresh);
	if (error) {
		pages_unpin(vm, &fresh.pinned);
		return error;
	}
	*slot = fresh;
	publish(vm, region->slot, false);
	return 0;
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
	memset(slot, 0, sizeof(*slot));
	publish(vm, region->slot, true);
	pages_move(&moved.pinned, moved.guest_address >> PAGE_SHIFT);
	*slot = moved;
	publish(vm, region->slot, false);
	return 0;
}

static int change(struct vm *vm, const struct kvm_userspace_memory_region *region)
{
	struct slot *slot = &vm->slots[region->slot];

	if (!region->memory_size) {
		if (!slot->size)
			return -EINVAL;
		remove(vm, region->slot);
		return 0;
	}
	if (slot->size && (region->userspace_addr != slot->user_address ||
			   region->memory_size != slot->size || region->flags != slot->flags))
		return -EINVAL;
	if (slot->size && region->guest_phys_addr == slot->guest_address)
		return 0;
	if (overlaps_another(vm, region))
		return -EEXIST;
	return slot->size ? move(vm, region) : add(vm, region);
}

long slots_set(struct vm *vm, const struct kvm_userspace_memory_region *region)
{
	long result = check_region(region);

	if (result)
		return result;
	if (mutex_lock_killable(&vm->slots_lock))
		return -EINTR;
	result = change(vm, region);
	mutex_unlock(&vm->slots_lock);
	return result;
}

/* When no vCPU has a CPU any more. */
void slots_free(struct vm *vm)
{
	unsigned int id;

	for (id = 0; id < APUS_SLOTS; id++)
		if (vm->slots[id].size)
			pages_unpin(vm, &vm->slots[id].pinned);
}
