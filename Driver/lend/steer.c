// SPDX-License-Identifier: GPL-2.0
/*
 * A device's message-signalled interrupt, sent to a lent CPU instead of Linux's. Linux goes on
 * believing that it has the interrupt: its own vector lives on and moves with its CPUs. Only what
 * the device's message, or the IOMMU's entry for it, says is ours.
 *
 * This is what the kernel must do for it, 6.1 to 6.12: irqd_cfg() is what its drivers for
 * interrupt remapping read once the vector domain has set an affinity, and nobody else but who
 * composes messages; the vector domain only writes it. So the vector domain's chip is replaced for
 * this one interrupt by a copy that answers with our target.
 *
 * irq_set_vcpu_affinity() is no way: it posts interrupts on Intel's, and on AMD's does nothing
 * without AVIC.
 */
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include <asm/apic.h>
#include <asm/hw_irq.h>
#include <asm/irqdomain.h>

#include "lend.h"

/* An xAPIC's ID of eight bits; the last one is everybody. */
#define MOST_XAPIC_ID 254
#define XAPIC_LOGICAL_IDS 8

static raw_spinlock_t *lock_of(const struct steering *steering)
{
	return &irq_data_to_desc(steering->root)->lock;
}

static struct irq_data *top_of(const struct steering *steering)
{
	return irq_get_irq_data(steering->irq);
}

/* In our copy of the chip, under the interrupt's lock: Linux moves it, or we have it written anew. */
static int set_affinity(struct irq_data *data, const struct cpumask *mask, bool force)
{
	struct steering *steering = container_of(data->chip, struct steering, chip);
	struct irq_cfg *config = irqd_cfg(data);
	int result;

	if (steering->rewrites)
		return IRQ_SET_MASK_OK;
	*config = steering->linux_target;
	result = steering->vectors->irq_set_affinity(data, mask, force);
	steering->linux_target = *config;
	*config = steering->target;
	/* Without remapping the level above would write Linux's message now. */
	return result < 0 || steering->remapping ? result : IRQ_SET_MASK_OK_DONE;
}

static struct msi_msg message_to(const struct irq_cfg *target)
{
	struct msi_msg message = {};

	message.arch_addr_lo.base_address = X86_MSI_BASE_ADDRESS_LOW;
	message.arch_addr_lo.destid_0_7 = target->dest_apicid;
	message.arch_data.vector = target->vector;
	return message;
}

/* The table of MSI-X is in the device's memory, and a guest may have switched that off. */
static bool show_memory(struct pci_dev *device, u16 *command)
{
	pci_read_config_word(device, PCI_COMMAND, command);
	if (*command & PCI_COMMAND_MEMORY)
		return false;
	pci_write_config_word(device, PCI_COMMAND, *command | PCI_COMMAND_MEMORY);
	return true;
}

/* Masked meanwhile: a message in three words must not be sent half old and half new. */
static void write_message(struct steering *steering, struct msi_msg *message)
{
	struct pci_dev *device = to_pci_dev(irq_get_msi_desc(steering->irq)->dev);
	struct irq_data *top = top_of(steering);
	bool masked = irqd_irq_masked(top), hidden;
	u16 command;

	/* Asleep: Linux only notes the message, and writes it when the device wakes up. */
	if (device->current_state != PCI_D0) {
		pci_write_msi_msg(steering->irq, message);
		return;
	}
	hidden = show_memory(device, &command);
	if (!masked)
		top->chip->irq_mask(top);
	pci_write_msi_msg(steering->irq, message);
	if (!masked)
		top->chip->irq_unmask(top);
	if (hidden)
		pci_write_config_word(device, PCI_COMMAND, command);
}

/* The IOMMU's driver reads irqd_cfg() again, writes its entry and waits until that is in force. */
static int write_entry(struct steering *steering)
{
	struct irq_data *remapping = steering->remapping;
	int result;

	steering->rewrites = true;
	result = remapping->chip->irq_set_affinity(
		remapping, irq_data_get_affinity_mask(steering->root), false);
	steering->rewrites = false;
	return result < 0 ? result : 0;
}

/* Under the interrupt's lock. */
static int point(struct steering *steering, const struct irq_cfg *target, bool at_linux)
{
	struct msi_msg message;

	*irqd_cfg(steering->root) = *target;
	if (steering->remapping)
		return write_entry(steering);
	if (at_linux)
		steering->vectors->irq_compose_msi_msg(steering->root, &message);
	else
		message = message_to(target);
	write_message(steering, &message);
	return 0;
}

/* Of an interrupt whose message names its CPU itself. Under its lock. */
static enum apus_delivery check_message(const struct steering *steering)
{
	const struct msi_desc *entry = irq_get_msi_desc(steering->irq);
	struct irq_data *top = top_of(steering), *root = steering->root;
	struct msi_msg composed, written;

	if (!entry || !dev_is_pci(entry->dev) || !root->chip->irq_compose_msi_msg)
		return APUS_DELIVERY_UNKNOWN;
	/* Whoever sits between, such as a hypervisor, has a message of its own. */
	root->chip->irq_compose_msi_msg(root, &composed);
	get_cached_msi_msg(steering->irq, &written);
	if (composed.address_lo != written.address_lo || composed.address_hi != written.address_hi ||
	    composed.data != written.data)
		return APUS_DELIVERY_UNKNOWN;
	if (!entry->pci.msi_attrib.is_msix && !entry->pci.msi_attrib.can_mask)
		return APUS_DELIVERY_UNMASKABLE;
	return top->chip->irq_mask && top->chip->irq_unmask ? APUS_DELIVERY_DIRECT :
							      APUS_DELIVERY_UNKNOWN;
}

static enum apus_delivery check_remapping(const struct irq_data *remapping)
{
	const char *name = remapping->chip->name;

	if (!strcmp(name, "INTEL-IR-POST"))
		return APUS_DELIVERY_POSTED;
	if (strcmp(name, "INTEL-IR") && strcmp(name, "AMD-IR"))
		return APUS_DELIVERY_UNKNOWN;
	return remapping->chip->irq_set_affinity ? APUS_DELIVERY_DIRECT : APUS_DELIVERY_UNKNOWN;
}

/*
 * What can be said of an interrupt for as long as it is requested: APUS_DELIVERY_DIRECT if it can be
 * steered at all. The caller knows that it stays requested until steering_return().
 */
enum apus_delivery steering_begin(struct steering *steering, unsigned int irq)
{
	struct irq_data *top = irq_get_irq_data(irq), *above = top;
	struct irq_data *root = irq_domain_get_irq_data(x86_vector_domain, irq);
	enum apus_delivery delivery;
	unsigned long flags;

	*steering = (struct steering){ .irq = irq, .root = root };
	if (!top || !root || root == top || !irqd_cfg(root) || !root->chip->irq_set_affinity)
		return APUS_DELIVERY_UNKNOWN;
	while (above->parent_data != root)
		above = above->parent_data;
	if (above != top) {
		steering->remapping = above;
		return check_remapping(above);
	}
	raw_spin_lock_irqsave(lock_of(steering), flags);
	delivery = check_message(steering);
	raw_spin_unlock_irqrestore(lock_of(steering), flags);
	return delivery;
}

/* False: nothing that the device or the IOMMU sends reaches a CPU of this number. */
static bool name_cpu(const struct steering *steering, u32 apic_id, u32 *destination)
{
	*destination = apic_id;
	if (!steering->remapping)
		return apic_id <= MOST_XAPIC_ID;
	/* An IOMMU's entry keeps the destination mode that Linux gave it. */
	if (!apic->dest_mode_logical)
		return apic_id <= MOST_XAPIC_ID || x2apic_enabled();
	if (x2apic_enabled()) {
		*destination = (apic_id >> 4) << 16 | BIT(apic_id & 15);
		return true;
	}
	/* A CPU in x2APIC mode takes eight bits for the first eight of cluster 0. */
	*destination = BIT(apic_id % XAPIC_LOGICAL_IDS);
	return apic_id < XAPIC_LOGICAL_IDS;
}

/*
 * From the return on, the interrupt is this vector at this lent CPU. Otherwise it says why it is
 * Linux's. Process context, one caller at a time.
 */
enum apus_delivery steering_turn(struct steering *steering, u32 apic_id, u8 vector)
{
	struct irq_cfg target = { .vector = vector };
	struct irq_data *root = steering->root;
	unsigned long flags;
	int error;

	if (!name_cpu(steering, apic_id, &target.dest_apicid)) {
		steering_return(steering);
		return APUS_DELIVERY_UNNAMEABLE;
	}
	raw_spin_lock_irqsave(lock_of(steering), flags);
	if (!steering->steers) {
		steering->vectors = root->chip;
		steering->chip = *root->chip;
		steering->chip.irq_set_affinity = set_affinity;
		steering->linux_target = *irqd_cfg(root);
		root->chip = &steering->chip;
		steering->steers = true;
	}
	steering->target = target;
	error = point(steering, &target, false);
	raw_spin_unlock_irqrestore(lock_of(steering), flags);
	if (!error)
		return APUS_DELIVERY_DIRECT;
	steering_return(steering);
	return APUS_DELIVERY_REFUSED;
}

/*
 * From the return on, nothing new comes to the lent CPU; what it has taken already stays there. Once
 * more does nothing.
 */
void steering_return(struct steering *steering)
{
	unsigned long flags;
	int error;

	if (!steering->steers)
		return;
	raw_spin_lock_irqsave(lock_of(steering), flags);
	error = point(steering, &steering->linux_target, true);
	steering->root->chip = steering->vectors;
	steering->steers = false;
	raw_spin_unlock_irqrestore(lock_of(steering), flags);
	if (error)
		pr_err("interrupt %u does not go back to Linux: error %d\n", steering->irq, error);
}
