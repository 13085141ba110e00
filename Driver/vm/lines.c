// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt lines. Where the monitor has said that a line's edges are no more
 * than an interrupt for one CPU, that interrupt is sent from here and nobody exits.
 */
#include <linux/nospec.h>

#include "vm.h"

/* As wired on a PC, until KVM_SET_GSI_ROUTING says otherwise. */
void lines_reset(struct vm *vm)
{
	unsigned int line;

	for (line = 0; line < APUS_LINES; line++)
		vm->control->line_pins[line] = line;
	vm->control->pic_lines = 0xffff;
}

/* vCPU 0 looks after the lines. */
void lines_changed(struct vm *vm)
{
	struct vcpu *vcpu = smp_load_acquire(&vm->vcpus[0]);

	if (vcpu)
		vcpu_kick(vcpu, APUS_REQUEST_LINES);
}

/* The vCPU that has this CPU now: a route may be older than the CPU's return to Linux. */
static struct vcpu *owner(struct vm *vm, u32 apic_id)
{
	unsigned int id;

	for (id = 0; id < APUS_VCPUS; id++)
		if (apic_id != APUS_NO_APIC_ID && vm->control->apic_ids[id] == apic_id)
			return vm->vcpus[id];
	return NULL;
}

/* The vCPUs that have a CPU. Under line_lock. */
u64 vm_reachable(struct vm *vm)
{
	u64 reachable = 0;
	unsigned int id;

	for (id = 0; id < APUS_VCPUS; id++)
		if (vm->control->apic_ids[id] != APUS_NO_APIC_ID)
			reachable |= BIT_ULL(id);
	return reachable;
}

/* Under line_lock. */
bool vm_interrupt(struct vm *vm, u32 apic_id, u8 vector)
{
	struct vcpu *vcpu = owner(vm, apic_id);

	if (!vcpu || vector < 16)
		return false;
	ipi_fixed(apic_id, vector);
	atomic64_inc(&vcpu->interrupts);
	return true;
}

/* True if vCPU 0 has to look. Under line_lock. */
static bool rise(struct vm *vm, unsigned int line)
{
	const u64 *route = &vm->control->line_routes[line];
	u64 seen = READ_ONCE(*route);

	if (seen & APUS_ROUTE_DIRECT &&
	    vm_interrupt(vm, APUS_ROUTE_APIC_ID(seen), APUS_ROUTE_VECTOR(seen)))
		return false;
	shared_or(&vm->control->line_edges, BIT(line));
	/* Read again: the monitor may just have unmasked it, and not seen the edge. */
	return !(READ_ONCE(*route) & APUS_ROUTE_MASKED);
}

static bool fall(struct vm *vm, unsigned int line)
{
	return !(READ_ONCE(vm->control->line_routes[line]) &
		 (APUS_ROUTE_DIRECT | APUS_ROUTE_MASKED));
}

/* 1: an edge; 0: the line was so already. */
int line_set(struct vm *vm, unsigned int line, bool high)
{
	unsigned long flags;
	bool changes, look = false;

	/* It comes from the client or, for the timer, from the monitor; the caller has checked it. */
	line = array_index_nospec(line, APUS_LINES);
	raw_spin_lock_irqsave(&vm->line_lock, flags);
	changes = high != !!(vm->levels & BIT(line));
	if (changes && high) {
		vm->levels |= BIT(line);
		shared_or(&vm->control->line_levels, BIT(line));
		look = rise(vm, line);
	} else if (changes) {
		vm->levels &= ~BIT(line);
		shared_clear(&vm->control->line_levels, BIT(line));
		look = fall(vm, line);
	}
	raw_spin_unlock_irqrestore(&vm->line_lock, flags);
	if (look)
		lines_changed(vm);
	return changes;
}

/* The controllers' state was set, and with it the levels of the lines. */
void lines_adopt(struct vm *vm)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->line_lock, flags);
	vm->levels = READ_ONCE(vm->control->line_levels);
	raw_spin_unlock_irqrestore(&vm->line_lock, flags);
}

/* High until the guest has answered the interrupt. */
void line_hold(struct vm *vm, unsigned int line)
{
	unsigned long flags;
	bool look = false;

	raw_spin_lock_irqsave(&vm->line_lock, flags);
	if (!(READ_ONCE(vm->control->held_lines) & BIT(line))) {
		shared_or(&vm->control->held_lines, BIT(line));
		look = !(vm->levels & BIT(line)) && rise(vm, line);
	}
	raw_spin_unlock_irqrestore(&vm->line_lock, flags);
	if (look)
		lines_changed(vm);
}

/* Nobody is left who would raise it again. */
void line_let_go(struct vm *vm, unsigned int line)
{
	shared_clear(&vm->control->held_lines, BIT(line));
	lines_changed(vm);
}

/* The doorbell rang: the guest may have answered interrupts. Any context. */
void lines_follow(struct vm *vm)
{
	u32 *released = &vm->control->released_lines;

	if (READ_ONCE(*released))
		irqfds_resample(vm, xchg(released, 0));
}
