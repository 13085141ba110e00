// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQFD: a signal of an eventfd is an interrupt of the guest. It is sent from where the eventfd
 * is signalled, in whatever context that is. With a second eventfd the line stays high until the
 * guest's EOI, and that is what the second one tells.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "bypass.h"
#include "vm.h"

struct irqfd {
	struct vm *vm;
	u32 gsi;
	struct eventfd_ctx *eventfd;
	struct eventfd_ctx *resample;   /* or NULL */
	struct list_head node;          /* of vm->irqfds; empty: on its way out */
	struct list_head resample_node; /* of vm->resamplers */
	wait_queue_entry_t entry;       /* in the eventfd's queue */
	poll_table table;
	struct work_struct end;
	struct bypass bypass; /* without `resample` */
};

static struct workqueue_struct *endings;

static void raise(struct irqfd *irqfd)
{
	if (irqfd->resample) {
		line_hold(irqfd->vm, irqfd->gsi);
		return;
	}
	atomic64_inc(&irqfd->bypass.forwarded);
	routing_drive(irqfd->vm, irqfd->gsi, true);
	routing_drive(irqfd->vm, irqfd->gsi, false);
}

static void add_resampler(struct irqfd *irqfd)
{
	spin_lock_irq(&irqfd->vm->irqfds_lock);
	list_add_rcu(&irqfd->resample_node, &irqfd->vm->resamplers);
	spin_unlock_irq(&irqfd->vm->irqfds_lock);
}

static void remove_resampler(struct irqfd *irqfd)
{
	struct vm *vm = irqfd->vm;
	struct irqfd *other;
	bool last = true;

	spin_lock_irq(&vm->irqfds_lock);
	list_del_rcu(&irqfd->resample_node);
	list_for_each_entry(other, &vm->resamplers, resample_node)
		last &= other->gsi != irqfd->gsi;
	spin_unlock_irq(&vm->irqfds_lock);
	synchronize_rcu_expedited();
	if (last)
		line_let_go(vm, irqfd->gsi);
}

static void discard(struct irqfd *irqfd)
{
	if (irqfd->resample)
		eventfd_ctx_put(irqfd->resample);
	eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
}

/* Nothing signals it any more when this is over. */
static void end(struct work_struct *work)
{
	struct irqfd *irqfd = container_of(work, struct irqfd, end);
	u64 count;

	bypass_close(&irqfd->bypass);
	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->entry, &count);
	if (irqfd->resample)
		remove_resampler(irqfd);
	discard(irqfd);
}

/* Under vm->irqfds_lock, once. */
static void begin_end(struct irqfd *irqfd)
{
	list_del_init(&irqfd->node);
	queue_work(endings, &irqfd->end);
}

/* The eventfd is signalled, or its file is gone. Under the lock of its queue. */
static int on_event(wait_queue_entry_t *entry, unsigned int mode, int sync, void *key)
{
	struct irqfd *irqfd = container_of(entry, struct irqfd, entry);
	struct vm *vm = irqfd->vm;
	__poll_t events = key_to_poll(key);
	unsigned long flags;
	int taken = 0;
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(irqfd->eventfd, &count);
		raise(irqfd);
		taken = 1;
	}
	if (events & EPOLLHUP) {
		spin_lock_irqsave(&vm->irqfds_lock, flags);
		if (!list_empty(&irqfd->node))
			begin_end(irqfd);
		spin_unlock_irqrestore(&vm->irqfds_lock, flags);
	}
	return taken;
}

/* First in the queue, and alone: the client's own readers are not woken. */
static void on_poll(struct file *file, wait_queue_head_t *queue, poll_table *table)
{
	struct irqfd *irqfd = container_of(table, struct irqfd, table);

	add_wait_queue_priority(queue, &irqfd->entry);
}

static bool is_taken(struct vm *vm, const struct eventfd_ctx *eventfd)
{
	struct irqfd *irqfd;
	bool taken = false;

	spin_lock_irq(&vm->irqfds_lock);
	list_for_each_entry(irqfd, &vm->irqfds, node)
		taken |= irqfd->eventfd == eventfd;
	spin_unlock_irq(&vm->irqfds_lock);
	return taken;
}

/* With the file held, so that it cannot go before the irqfd is in the list. */
static void attach(struct irqfd *irqfd, struct file *file)
{
	struct vm *vm = irqfd->vm;

	if (irqfd->resample)
		add_resampler(irqfd);
	init_waitqueue_func_entry(&irqfd->entry, on_event);
	init_poll_funcptr(&irqfd->table, on_poll);
	if (vfs_poll(file, &irqfd->table) & EPOLLIN)
		raise(irqfd);
	/* Before anybody can find it, and end it. */
	if (!irqfd->resample)
		bypass_open(&irqfd->bypass, vm, irqfd->gsi, irqfd->eventfd);
	spin_lock_irq(&vm->irqfds_lock);
	list_add(&irqfd->node, &vm->irqfds);
	spin_unlock_irq(&vm->irqfds_lock);
}

static struct irqfd *prepare(struct vm *vm, const struct kvm_irqfd *given, struct file *file)
{
	struct irqfd *irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	void *result;

	if (!irqfd)
		return ERR_PTR(-ENOMEM);
	irqfd->vm = vm;
	irqfd->gsi = given->gsi;
	INIT_LIST_HEAD(&irqfd->node);
	INIT_WORK(&irqfd->end, end);
	irqfd->eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(irqfd->eventfd)) {
		result = ERR_CAST(irqfd->eventfd);
		kfree(irqfd);
		return result;
	}
	if (!(given->flags & KVM_IRQFD_FLAG_RESAMPLE))
		return irqfd;
	irqfd->resample = eventfd_ctx_fdget(given->resamplefd);
	if (IS_ERR(irqfd->resample)) {
		result = ERR_CAST(irqfd->resample);
		irqfd->resample = NULL;
		discard(irqfd);
		return result;
	}
	return irqfd;
}

static long assign(struct vm *vm, const struct kvm_irqfd *given)
{
	struct file *file = fget(given->fd);
	struct irqfd *irqfd;
	long result = 0;

	if (!file)
		return -EBADF;
	irqfd = prepare(vm, given, file);
	if (IS_ERR(irqfd)) {
		fput(file);
		return PTR_ERR(irqfd);
	}
	if (mutex_lock_killable(&vm->lock)) {
		result = -EINTR;
	} else {
		if (is_taken(vm, irqfd->eventfd))
			result = -EBUSY;
		else
			attach(irqfd, file);
		mutex_unlock(&vm->lock);
	}
	if (result)
		discard(irqfd);
	fput(file);
	return result;
}

/* As KVM does: all of this eventfd and this line; none is no error. */
static long deassign(struct vm *vm, const struct kvm_irqfd *given)
{
	struct eventfd_ctx *eventfd = eventfd_ctx_fdget(given->fd);
	struct irqfd *irqfd, *next;

	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	spin_lock_irq(&vm->irqfds_lock);
	list_for_each_entry_safe(irqfd, next, &vm->irqfds, node)
		if (irqfd->eventfd == eventfd && irqfd->gsi == given->gsi)
			begin_end(irqfd);
	spin_unlock_irq(&vm->irqfds_lock);
	eventfd_ctx_put(eventfd);
	flush_workqueue(endings);
	return 0;
}

long irqfd_change(struct vm *vm, const void __user *argument)
{
	struct kvm_irqfd given;

	if (copy_from_user(&given, argument, sizeof(given)))
		return -EFAULT;
	if (given.flags & ~(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE))
		return -EINVAL;
	if (given.flags & KVM_IRQFD_FLAG_DEASSIGN)
		return deassign(vm, &given);
	/* A line to hold is one of the controllers'. */
	if (!vm->control->irqchip ||
	    (given.flags & KVM_IRQFD_FLAG_RESAMPLE &&
	     (!has_controllers(vm) || given.gsi >= APUS_LINES)))
		return -EINVAL;
	return assign(vm, &given);
}

/* The guest has answered the interrupt of a line that is held, and the line is low by now. */
void irqfds_resample(struct vm *vm, u32 lines)
{
	struct irqfd *irqfd;

	rcu_read_lock();
	list_for_each_entry_rcu(irqfd, &vm->resamplers, resample_node)
		if (lines & BIT(irqfd->gsi))
			apus_eventfd_signal(irqfd->resample);
	rcu_read_unlock();
}

/* The VM's file is gone: no client calls. */
void irqfds_end(struct vm *vm)
{
	struct irqfd *irqfd, *next;

	spin_lock_irq(&vm->irqfds_lock);
	list_for_each_entry_safe(irqfd, next, &vm->irqfds, node)
		begin_end(irqfd);
	spin_unlock_irq(&vm->irqfds_lock);
	flush_workqueue(endings);
}

int irqfd_init(void)
{
	endings = alloc_workqueue("apus-irqfd", 0, 0);
	return endings ? 0 : -ENOMEM;
}

void irqfd_exit(void)
{
	destroy_workqueue(endings);
}
