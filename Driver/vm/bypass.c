// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts of passed-through devices. VFIO and an irqfd share an eventfd: then VFIO is its
 * producer, we are its consumer, and irqbypass tells us the interrupt's number. Where the guest's
 * route for it is a message to one vCPU that has a CPU, the interrupt goes there by itself: direct.
 * Otherwise Linux takes it, VFIO signals the eventfd and the irqfd sends the guest's vector:
 * forwarded. Neither costs the guest an exit.
 *
 * Whatever changes the answer has changed what decide() reads first, and then calls here: so the
 * last one to hold the lock decides by all that was changed before. In particular a vCPU
 * is struck out, then its interrupts go back to Linux, and only then its CPU is drained and
 * returned.
 *
 * Locks, from the outside: VFIO's, or vm->lock, or vcpu->lock; irqbypass's; bypass_lock; that of the
 * interrupt (in steer.c), or line_lock. Nothing that is called under bypass_lock takes one of
 * the former.
 */
#include <linux/capability.h>
#include <linux/eventfd.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "bypass.h"
#include "compat.h"

static DEFINE_MUTEX(bypass_lock);
static LIST_HEAD(bypasses); /* those that have a producer */

static enum apus_delivery decide(struct bypass *bypass)
{
	struct message message = routing_message(bypass->vm, bypass->gsi);
	enum apus_delivery delivery;

	if (bypass->steerable != APUS_DELIVERY_DIRECT)
		return bypass->steerable;
	if (!message.exists)
		return APUS_DELIVERY_NO_MESSAGE;
	delivery = message_aim(bypass->vm, &message, &bypass->vcpu, &bypass->vector);
	if (delivery != APUS_DELIVERY_DIRECT)
		return delivery;
	bypass->apic_id = READ_ONCE(bypass->vm->control->apic_ids[bypass->vcpu]);
	return bypass->apic_id == APUS_NO_APIC_ID ? APUS_DELIVERY_NO_CPU : APUS_DELIVERY_DIRECT;
}

/* Under bypass_lock. */
static void follow(struct bypass *bypass)
{
	enum apus_delivery old = bypass->delivery;
	u32 apic_id = bypass->apic_id;
	u8 vector = bypass->vector;

	bypass->delivery = decide(bypass);
	if (bypass->delivery != APUS_DELIVERY_DIRECT)
		steering_return(&bypass->steering);
	else if (old == APUS_DELIVERY_DIRECT && apic_id == bypass->apic_id &&
		 vector == bypass->vector)
		return;
	else
		bypass->delivery = steering_turn(&bypass->steering, bypass->apic_id, bypass->vector);
	if (old != bypass->delivery || old == APUS_DELIVERY_DIRECT)
		bypass->changes++;
}

/* Of this VM something changed on which the way of interrupts depends. Process context. */
void bypasses_follow(struct vm *vm)
{
	struct bypass *bypass;

	mutex_lock(&bypass_lock);
	list_for_each_entry(bypass, &bypasses, node)
		if (bypass->vm == vm)
			follow(bypass);
	mutex_unlock(&bypass_lock);
}

static void follow_apics(struct work_struct *work)
{
	bypasses_follow(container_of(work, struct vm, apics_changed));
}

/* The doorbell rang: the guest may have given its local APICs other addresses. Any context. */
void bypasses_look(struct vm *vm)
{
	u32 *changed = &vm->control->apics_changed;

	if (READ_ONCE(*changed) && xchg(changed, 0))
		queue_work(system_unbound_wq, &vm->apics_changed);
}

void bypasses_init(struct vm *vm)
{
	INIT_WORK(&vm->apics_changed, follow_apics);
}

/* The doorbell does not know this VM any more. */
void bypasses_stop(struct vm *vm)
{
	cancel_work_sync(&vm->apics_changed);
}

/* What no change in the guest makes direct is worth a line in the log. */
static void report(const struct bypass *bypass, unsigned int irq)
{
	if (bypass->steerable != APUS_DELIVERY_DIRECT)
		pr_info_ratelimited("interrupt %u of process %d's guest is forwarded: %s\n", irq,
				    bypass->vm->process, apus_delivery_words(bypass->steerable));
}

static int add_producer(struct irq_bypass_consumer *consumer, struct irq_bypass_producer *producer)
{
	struct bypass *bypass = container_of(consumer, struct bypass, consumer);

	/* Before the guest's addresses are read: who changes one now rings. */
	WRITE_ONCE(bypass->vm->control->watches_apics, 1);
	smp_mb();
	mutex_lock(&bypass_lock);
	bypass->steerable = steering_begin(&bypass->steering, producer->irq);
	bypass->delivery = APUS_DELIVERY_COUNT;
	bypass->changes = 0;
	atomic64_set(&bypass->forwarded, 0);
	list_add_tail(&bypass->node, &bypasses);
	follow(bypass);
	mutex_unlock(&bypass_lock);
	report(bypass, producer->irq);
	return 0;
}

/* Then VFIO frees the interrupt. */
static void del_producer(struct irq_bypass_consumer *consumer, struct irq_bypass_producer *producer)
{
	struct bypass *bypass = container_of(consumer, struct bypass, consumer);

	mutex_lock(&bypass_lock);
	steering_return(&bypass->steering);
	list_del(&bypass->node);
	mutex_unlock(&bypass_lock);
}

/* Another one may be the eventfd's consumer already: then its interrupts are forwarded. */
void bypass_open(struct bypass *bypass, struct vm *vm, u32 gsi, struct eventfd_ctx *eventfd)
{
	int error;

	bypass->vm = vm;
	bypass->gsi = gsi;
	bypass->consumer.add_producer = add_producer;
	bypass->consumer.del_producer = del_producer;
	error = apus_bypass_register(&bypass->consumer, eventfd);
	bypass->registered = !error;
	if (error)
		pr_info_ratelimited("an eventfd of process %d's is somebody else's too: error %d\n",
				    vm->process, error);
}

/* The interrupt is Linux's again when this is over, and its signals still reach the irqfd. */
void bypass_close(struct bypass *bypass)
{
	if (bypass->registered)
		irq_bypass_unregister_consumer(&bypass->consumer);
	bypass->registered = false;
}

static void describe(const struct bypass *bypass, struct apus_interrupt *one)
{
	bool direct = bypass->delivery == APUS_DELIVERY_DIRECT;

	one->process = bypass->vm->process;
	one->gsi = bypass->gsi;
	one->host_irq = bypass->steering.irq;
	one->delivery = bypass->delivery;
	one->vcpu = direct ? bypass->vcpu : 0;
	one->vector = direct ? bypass->vector : 0;
	one->forwarded = atomic64_read(&bypass->forwarded);
	one->changes = bypass->changes;
}

/* APUS_GET_INTERRUPTS */
long bypasses_describe(struct apus_interrupts __user *argument)
{
	struct apus_interrupts *all = kzalloc(sizeof(*all), GFP_KERNEL_ACCOUNT);
	const struct bypass *bypass;
	long result = 0;
	u32 place = 0;

	if (!all)
		return -ENOMEM;
	if (get_user(all->first, &argument->first)) {
		kfree(all);
		return -EFAULT;
	}
	mutex_lock(&bypass_lock);
	list_for_each_entry(bypass, &bypasses, node) {
		if (!account_is_current_users(bypass->vm->account) && !capable(CAP_SYS_ADMIN))
			continue;
		if (place++ >= all->first && all->count < APUS_INTERRUPTS)
			describe(bypass, &all->interrupts[all->count++]);
	}
	mutex_unlock(&bypass_lock);
	if (copy_to_user(argument, all, sizeof(*all)))
		result = -EFAULT;
	kfree(all);
	return result;
}
