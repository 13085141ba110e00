// SPDX-License-Identifier: GPL-2.0
/*
 * The interrupt with which a monitor says that something is done. It is an interrupt of
 * Linux's like any other: it has a number in /proc/interrupts and an affinity, and when its
 * CPU goes offline it moves, and the monitors are told.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/workqueue.h>

#include <asm/apic.h>
#include <asm/hw_irq.h>
#include <asm/irqdomain.h>

#include "lend.h"

DECLARE_WAIT_QUEUE_HEAD(doorbell_waiters);

static struct fwnode_handle *node;
static struct irq_domain *domain;
static int number; /* Linux's */
static u64 command; /* what to write to the x2APIC ICR */
static void (*on_ring_too)(void); /* of the half that runs virtual machines */

/* A ring on the way to the old place may be lost: everyone looks again. */
static void look_again(struct work_struct *work)
{
	wake_up_all(&doorbell_waiters);
	on_ring_too();
}
static DECLARE_DELAYED_WORK(echo, look_again);
#define ECHO_MS 10

static irqreturn_t on_ring(int irq, void *data)
{
	wake_up_all(&doorbell_waiters);
	on_ring_too();
	return IRQ_HANDLED;
}

/* From the message that Linux composes, as for MSI: vector, and the CPU that has it. */
static void publish(struct irq_data *data)
{
	const struct cpumask *where = irq_data_get_effective_affinity_mask(data);
	unsigned int cpu = cpumask_first(where);
	struct irq_data *parent = data->parent_data;
	struct msi_msg message = {};

	if (cpu >= nr_cpu_ids || !parent->chip->irq_compose_msi_msg)
		return;
	parent->chip->irq_compose_msi_msg(parent, &message);
	WRITE_ONCE(command, (u64)per_cpu(x86_cpu_to_apicid, cpu) << 32 | APIC_DM_FIXED |
			    (message.data & 0xff));
	lent_set_doorbell(command);
}

u64 doorbell_command(void)
{
	return READ_ONCE(command);
}

static int move(struct irq_data *data, const struct cpumask *where, bool force)
{
	struct irq_data *parent = data->parent_data;
	int result = parent->chip->irq_set_affinity(parent, where, force);

	if (result >= 0 && result != IRQ_SET_MASK_OK_DONE) {
		publish(data);
		schedule_delayed_work(&echo, msecs_to_jiffies(ECHO_MS));
	}
	return result;
}

static void nothing(struct irq_data *data)
{
}

static struct irq_chip chip = {
	.name = "apus",
	.irq_mask = nothing,
	.irq_unmask = nothing,
	.irq_ack = irq_chip_ack_parent,
	.irq_set_affinity = move,
	.flags = IRQCHIP_SKIP_SET_WAKE,
};

static int allocate(struct irq_domain *irq_domain, unsigned int irq, unsigned int irqs, void *info)
{
	int error = irq_domain_alloc_irqs_parent(irq_domain, irq, irqs, info);

	if (error)
		return error;
	irq_domain_set_info(irq_domain, irq, 0, &chip, NULL, handle_edge_irq, NULL, "edge");
	/* One store moves it, so it can move at any moment. */
	irq_set_status_flags(irq, IRQ_MOVE_PCNTXT);
	return 0;
}

static int activate(struct irq_domain *irq_domain, struct irq_data *data, bool reserve)
{
	publish(data);
	return 0;
}

static const struct irq_domain_ops operations = {
	.alloc = allocate,
	.free = irq_domain_free_irqs_common,
	.activate = activate,
};

static void dispose(void)
{
	if (number > 0)
		irq_dispose_mapping(number);
	if (domain)
		irq_domain_remove(domain);
	if (node)
		irq_domain_free_fwnode(node);
}

static int allocate_number(void)
{
	struct irq_alloc_info info = {};

	node = irq_domain_alloc_named_fwnode("apus");
	if (!node)
		return -ENOMEM;
	domain = irq_domain_create_hierarchy(x86_vector_domain, 0, 0, node, &operations, NULL);
	if (!domain)
		return -ENOMEM;
	number = irq_domain_alloc_irqs(domain, 1, NUMA_NO_NODE, &info);
	return number < 0 ? number : 0;
}

/* Each ring calls `also`, in hard interrupt context. */
int doorbell_init(void (*also)(void))
{
	int error;

	on_ring_too = also;
	error = allocate_number();

	if (!error)
		error = request_irq(number, on_ring, 0, "apus", &command);
	if (!error && !doorbell_command()) {
		free_irq(number, &command);
		error = -ENXIO;
	}
	if (error)
		dispose();
	return error;
}

void doorbell_exit(void)
{
	free_irq(number, &command);
	cancel_delayed_work_sync(&echo);
	dispose();
}
