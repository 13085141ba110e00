// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_REGISTER_COALESCED_MMIO and its opposite: the client's zones, as the monitor reads them.
 * A CPU that looked before a zone went may still put one write into the ring.
 */
#include <linux/uaccess.h>

#include "vm.h"

static void publish(struct apus_vm *control, struct apus_zone *zone,
		    const struct apus_zone *value)
{
	u32 sequence = control->zones_sequence;

	WRITE_ONCE(control->zones_sequence, sequence + 1);
	smp_wmb(); /* the monitor sees an odd number before it sees half a zone */
	WRITE_ONCE(zone->address, value->address);
	WRITE_ONCE(zone->size, value->size);
	WRITE_ONCE(zone->pio, value->pio);
	smp_store_release(&control->zones_sequence, sequence + 2);
}

static long add(struct apus_vm *control, const struct apus_zone *new)
{
	unsigned int index;

	/* Holds nothing, which KVM permits. */
	if (!new->size)
		return 0;
	for (index = 0; index < APUS_ZONES; index++) {
		if (!control->zones[index].size) {
			publish(control, &control->zones[index], new);
			return 0;
		}
	}
	return -ENOSPC;
}

static bool holds(const struct apus_zone *zone, const struct apus_zone *part)
{
	return zone->pio == part->pio && part->address >= zone->address &&
	       part->size <= zone->size &&
	       part->address - zone->address <= zone->size - part->size;
}

/* As KVM does: every zone that holds the whole one, if any. */
static long remove(struct apus_vm *control, const struct apus_zone *part)
{
	static const struct apus_zone none;
	unsigned int index;

	for (index = 0; index < APUS_ZONES; index++) {
		struct apus_zone *zone = &control->zones[index];

		if (zone->size && holds(zone, part))
			publish(control, zone, &none);
	}
	return 0;
}

long zones_change(struct vm *vm, unsigned int request, const void __user *argument)
{
	struct kvm_coalesced_mmio_zone given;
	struct apus_zone zone;
	long result;

	if (copy_from_user(&given, argument, sizeof(given)))
		return -EFAULT;
	if (given.pio > 1)
		return -EINVAL;
	zone = (struct apus_zone){ given.addr, given.size, given.pio };
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	if (request == KVM_REGISTER_COALESCED_MMIO)
		result = add(vm->control, &zone);
	else
		result = remove(vm->control, &zone);
	mutex_unlock(&vm->lock);
	return result;
}
