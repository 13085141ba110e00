// SPDX-License-Identifier: GPL-2.0
/* KVM_SET_GSI_ROUTING: which line drives which pin, and which stands for a message. */
#include <linux/err.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "vm.h"

#define PIC_PINS 8

struct wiring {
	u32 pic_lines;
	u8 line_pins[APUS_LINES];
	struct message *messages;
	unsigned int message_count;
};

static int add_irqchip(struct wiring *wiring, const struct kvm_irq_routing_entry *entry)
{
	u32 pin = entry->u.irqchip.pin;
	u32 line = entry->gsi;

	if (line >= APUS_LINES)
		return -EINVAL;
	line = array_index_nospec(line, APUS_LINES);
	switch (entry->u.irqchip.irqchip) {
	case KVM_IRQCHIP_PIC_SLAVE:
	case KVM_IRQCHIP_PIC_MASTER:
		if (pin >= PIC_PINS)
			return -EINVAL;
		if (entry->u.irqchip.irqchip == KVM_IRQCHIP_PIC_SLAVE)
			pin += PIC_PINS;
		/* Lines and the PICs' inputs are numbered alike; so is every PC. */
		if (pin != line)
			return -EINVAL;
		wiring->pic_lines |= BIT(pin);
		return 0;
	case KVM_IRQCHIP_IOAPIC:
		if (pin >= APUS_LINES || wiring->line_pins[line] != APUS_NO_PIN)
			return -EINVAL;
		wiring->line_pins[line] = pin;
		return 0;
	default:
		return -EINVAL;
	}
}

static int add_message(struct wiring *wiring, const struct kvm_irq_routing_entry *entry)
{
	u32 gsi = array_index_nospec(entry->gsi, wiring->message_count);
	struct message *message = &wiring->messages[gsi];

	if (message->exists)
		return -EINVAL;
	message->address = entry->u.msi.address_lo;
	message->data = entry->u.msi.data;
	message->exists = true;
	return 0;
}

static int add(const struct vm *vm, struct wiring *wiring,
	       const struct kvm_irq_routing_entry *entry)
{
	if (entry->flags)
		return -EINVAL;
	switch (entry->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		return has_controllers(vm) ? add_irqchip(wiring, entry) : -EINVAL;
	case KVM_IRQ_ROUTING_MSI:
		return add_message(wiring, entry);
	default:
		return -EINVAL;
	}
}

static void put_into_force(struct vm *vm, struct wiring *wiring)
{
	struct message *old = wiring->messages;
	unsigned long flags;
	unsigned int line;

	raw_spin_lock_irqsave(&vm->line_lock, flags);
	WRITE_ONCE(vm->control->pic_lines, wiring->pic_lines);
	for (line = 0; line < APUS_LINES; line++)
		WRITE_ONCE(vm->control->line_pins[line], wiring->line_pins[line]);
	swap(vm->messages, old);
	vm->message_count = wiring->message_count;
	raw_spin_unlock_irqrestore(&vm->line_lock, flags);
	kvfree(old);
	lines_changed(vm);
	bypasses_follow(vm);
}

static int build(struct vm *vm, const struct kvm_irq_routing_entry *entries, u32 count)
{
	struct wiring wiring = {};
	u32 index;
	int error = 0;

	memset(wiring.line_pins, APUS_NO_PIN, sizeof(wiring.line_pins));
	for (index = 0; index < count; index++) {
		if (entries[index].gsi >= MOST_ROUTES)
			return -EINVAL;
		wiring.message_count = max(wiring.message_count, entries[index].gsi + 1);
	}
	wiring.messages = kvcalloc(max(wiring.message_count, 1u), sizeof(*wiring.messages),
				   GFP_KERNEL_ACCOUNT);
	if (!wiring.messages)
		return -ENOMEM;
	for (index = 0; index < count && !error; index++)
		error = add(vm, &wiring, &entries[index]);
	if (error)
		kvfree(wiring.messages);
	else
		put_into_force(vm, &wiring);
	return error;
}

long routing_set(struct vm *vm, const struct kvm_irq_routing __user *argument)
{
	struct kvm_irq_routing_entry *entries;
	struct kvm_irq_routing header;
	int error;

	if (copy_from_user(&header, argument, sizeof(header)))
		return -EFAULT;
	if (header.flags || header.nr > MOST_ROUTES || !vm->control->irqchip)
		return -EINVAL;
	entries = vmemdup_user(argument->entries, header.nr * sizeof(*entries));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	error = build(vm, entries, header.nr);
	kvfree(entries);
	return error;
}

struct message routing_message(struct vm *vm, u32 gsi)
{
	struct message message = {};
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->line_lock, flags);
	if (gsi < vm->message_count)
		message = vm->messages[gsi];
	raw_spin_unlock_irqrestore(&vm->line_lock, flags);
	return message;
}

/* KVM_IRQ_LINE: how many vCPUs got it, or 1 for an edge and 0 for none. Any context. */
int routing_drive(struct vm *vm, u32 gsi, bool high)
{
	struct message message;

	if (!vm->control->irqchip)
		return -ENXIO;
	message = routing_message(vm, gsi);
	if (message.exists)
		return high ? message_send(vm, &message) : 0;
	if (!has_controllers(vm))
		return 0; /* a pin that the guest has not programmed */
	if (gsi >= APUS_LINES)
		return -EINVAL;
	return line_set(vm, gsi, high);
}
