// SPDX-License-Identifier: GPL-2.0
/*
 * Message-signalled interrupts. A message is read as KVM reads it: of the address only the bits that
 * name a destination count, so that an offset in the APIC's page will do. The monitor says how the
 * guest's local APICs are addressed; where a message goes is decided here, and sent.
 */
#include <linux/bitops.h>

#include "vm.h"

#define ADDRESS_DESTINATION(address) ((address) >> 12 & 0xff)
#define ADDRESS_LOGICAL BIT(2)
#define ADDRESS_REDIRECTION BIT(3)
#define DATA_VECTOR(data) ((data) & 0xff)
#define DATA_MODE(data) ((data) >> 8 & 7)
#define DATA_LEVEL BIT(15)

#define BROADCAST 0xff
#define FIXED 0
#define LOWEST_PRIORITY 1
#define NMI 4
#define LEAST_VECTOR 16

/* Intel SDM vol. 3, 11.6.2 and 11.12.10. */
static bool answers(struct vm *vm, u32 id, u8 destination, bool logical)
{
	u32 address = READ_ONCE(vm->control->apic_addresses[id]);
	u8 own = APUS_APIC_LOGICAL_ID(address);

	if (address & APUS_APIC_IS_OFF)
		return false;
	if (destination == BROADCAST)
		return true;
	if (!logical)
		return destination == id;
	/* Eight bits of a destination reach the first eight of cluster 0. */
	if (address & APUS_APIC_IS_X2APIC)
		return id < 8 && destination & BIT(id);
	if (address & APUS_APIC_IS_FLAT)
		return destination & own;
	return destination >> 4 == own >> 4 && destination & own & 0xf;
}

static u64 targets_of(struct vm *vm, u8 destination, bool logical)
{
	u64 targets = 0;
	unsigned int id;

	for (id = 0; id < APUS_VCPUS; id++)
		if (smp_load_acquire(&vm->vcpus[id]) && answers(vm, id, destination, logical))
			targets |= BIT_ULL(id);
	return targets;
}

/* One of them: always the same for a vector, and others for others. */
static u64 choose(u64 targets, u8 vector)
{
	unsigned int skip = targets ? vector % hweight64(targets) : 0;

	while (skip--)
		targets &= targets - 1;
	return targets & -targets;
}

/*
 * From the client's I/O APIC, which wants to hear of the EOI: the target itself takes it, once it has
 * seen to that. One without a CPU takes it when it has one.
 */
static int send_level(struct vm *vm, u64 targets, u8 vector, bool one)
{
	int sent;

	if (vector < 16)
		return 0;
	if (one)
		targets = choose(targets, vector);
	sent = hweight64(targets);
	for (; targets; targets &= targets - 1) {
		struct vcpu *vcpu = vm->vcpus[__ffs64(targets)];

		set_bit(vector, (unsigned long *)vcpu->control->level_vectors);
		vcpu_kick(vcpu, APUS_REQUEST_LEVELS);
	}
	return sent;
}

static int send_vector(struct vm *vm, u64 targets, u8 vector, bool one)
{
	unsigned long flags;
	int sent = 0;

	raw_spin_lock_irqsave(&vm->line_lock, flags);
	targets &= vm_reachable(vm);
	if (one)
		targets = choose(targets, vector);
	for (; targets; targets &= targets - 1)
		sent += vm_interrupt(vm, vm->control->apic_ids[__ffs64(targets)], vector);
	raw_spin_unlock_irqrestore(&vm->line_lock, flags);
	return sent;
}

static int send_nmi(struct vm *vm, u64 targets)
{
	int sent = hweight64(targets);

	for (; targets; targets &= targets - 1)
		vcpu_send_nmi(vm->vcpus[__ffs64(targets)]);
	return sent;
}

/*
 * Whether a message is no more than one vector for one vCPU, which then may come from the device
 * itself: APUS_DELIVERY_DIRECT, and which. Otherwise what else it is.
 */
enum apus_delivery message_aim(struct vm *vm, const struct message *message, u32 *vcpu, u8 *vector)
{
	u32 address = message->address, data = message->data;
	u64 targets = targets_of(vm, ADDRESS_DESTINATION(address), address & ADDRESS_LOGICAL);

	if ((DATA_MODE(data) != FIXED && DATA_MODE(data) != LOWEST_PRIORITY) || data & DATA_LEVEL ||
	    DATA_VECTOR(data) < LEAST_VECTOR)
		return APUS_DELIVERY_NOT_FIXED;
	if (!targets)
		return APUS_DELIVERY_NO_TARGET;
	if (hweight64(targets) > 1)
		return APUS_DELIVERY_SEVERAL_TARGETS;
	*vcpu = __ffs64(targets);
	*vector = DATA_VECTOR(data);
	return APUS_DELIVERY_DIRECT;
}

/* How many vCPUs get it. Any context. */
int message_send(struct vm *vm, const struct message *message)
{
	u32 address = message->address, data = message->data;
	u8 destination = ADDRESS_DESTINATION(address);
	bool logical = address & ADDRESS_LOGICAL;
	bool one = address & ADDRESS_REDIRECTION || DATA_MODE(data) == LOWEST_PRIORITY;
	u64 targets = targets_of(vm, destination, logical);

	switch (DATA_MODE(data)) {
	case FIXED:
	case LOWEST_PRIORITY:
		/* Nothing chooses among all of them. */
		if (!logical && destination == BROADCAST)
			one = false;
		if (data & DATA_LEVEL && !has_controllers(vm))
			return send_level(vm, targets, DATA_VECTOR(data), one);
		return send_vector(vm, targets, DATA_VECTOR(data), one);
	case NMI:
		return send_nmi(vm, targets);
	default:
		/* SMI, INIT and start-ups do not come from devices; KVM ignores ExtINT. */
		return 0;
	}
}
