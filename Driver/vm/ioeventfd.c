// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IOEVENTFD. The monitor looks a write up in the table that is published here, sets a bit and
 * rings the doorbell; the guest goes on, and no thread of the client that runs it wakes up.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "vm.h"

struct ioeventfd {
	struct eventfd_ctx *eventfd;
	struct apus_notification wanted; /* its number is its place in vm->ioeventfds */
	bool leaving;                    /* no longer in the table */
};

#define FLAGS (KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DEASSIGN)

static struct apus_notification *table(struct vm *vm, u32 generation)
{
	unsigned int page = APUS_VM_PAGE_NOTIFICATIONS +
			    (generation & 1) * APUS_NOTIFICATION_PAGES;

	BUILD_BUG_ON(APUS_NOTIFICATIONS * sizeof(struct apus_notification) >
		     APUS_NOTIFICATION_PAGES * APUS_PAGE_SIZE);
	return (void *)vm->control + page * APUS_PAGE_SIZE;
}

static int in_order(const void *one, const void *two)
{
	const struct apus_notification *left = one, *right = two;
	bool left_is_port = left->flags & APUS_NOTIFICATION_PIO;
	bool right_is_port = right->flags & APUS_NOTIFICATION_PIO;

	if (left_is_port != right_is_port)
		return left_is_port ? -1 : 1;
	if (left->address != right->address)
		return left->address < right->address ? -1 : 1;
	return 0;
}

static struct ioeventfd *at(struct vm *vm, unsigned int number)
{
	return rcu_dereference_protected(vm->ioeventfds[number], lockdep_is_held(&vm->lock));
}

static void publish(struct vm *vm)
{
	struct apus_vm *control = vm->control;
	u32 generation = control->notifications_generation + 1;
	struct apus_notification *idle = table(vm, generation);
	unsigned int number, count = 0;

	for (number = 0; number < APUS_NOTIFICATIONS; number++) {
		struct ioeventfd *one = at(vm, number);

		if (one && !one->leaving)
			idle[count++] = one->wanted;
	}
	sort(idle, count, sizeof(*idle), in_order, NULL);
	WRITE_ONCE(control->notification_counts[generation & 1], count);
	smp_store_release(&control->notifications_generation, generation);
	smp_mb(); /* a monitor that set a bit by the old table and does not see this: it is found */
}

/* The doorbell rang, or a client changed something. Any context. */
void ioeventfds_follow(struct vm *vm)
{
	unsigned int word;

	rcu_read_lock();
	for (word = 0; word < ARRAY_SIZE(vm->control->notified); word++) {
		u32 *notified = &vm->control->notified[word];
		u32 bits = READ_ONCE(*notified) ? xchg(notified, 0) : 0;

		while (bits) {
			unsigned int bit = __ffs(bits);
			struct ioeventfd *one;

			bits &= bits - 1;
			one = rcu_dereference(vm->ioeventfds[word * 32 + bit]);
			if (one)
				apus_eventfd_signal(one->eventfd);
		}
	}
	rcu_read_unlock();
}

static bool same_address(const struct apus_notification *one, const struct apus_notification *two)
{
	return one->address == two->address &&
	       !((one->flags ^ two->flags) & APUS_NOTIFICATION_PIO);
}

/* There is a write that would be both. */
static bool collide(const struct apus_notification *one, const struct apus_notification *two)
{
	if (!same_address(one, two))
		return false;
	if (!one->size || !two->size)
		return true;
	if (one->size != two->size)
		return false;
	return !(one->flags & two->flags & APUS_NOTIFICATION_DATA) || one->data == two->data;
}

static int find_place(struct vm *vm, const struct apus_notification *wanted)
{
	int number, place = -ENOSPC;

	for (number = APUS_NOTIFICATIONS - 1; number >= 0; number--) {
		struct ioeventfd *one = at(vm, number);

		if (!one)
			place = number;
		else if (collide(&one->wanted, wanted))
			return -EEXIST;
	}
	return place;
}

static long assign(struct vm *vm, struct eventfd_ctx *eventfd, struct apus_notification *wanted)
{
	int place = find_place(vm, wanted);
	struct ioeventfd *one;

	if (place < 0)
		return place;
	one = kzalloc(sizeof(*one), GFP_KERNEL_ACCOUNT);
	if (!one)
		return -ENOMEM;
	wanted->number = place;
	one->wanted = *wanted;
	one->eventfd = eventfd;
	/* Not one of an eventfd that had this number before. */
	shared_clear(&vm->control->notified[place / 32], BIT(place % 32));
	rcu_assign_pointer(vm->ioeventfds[place], one);
	publish(vm);
	return 0;
}

static void discard(struct ioeventfd *one)
{
	eventfd_ctx_put(one->eventfd);
	kfree(one);
}

static bool is(const struct ioeventfd *one, const struct eventfd_ctx *eventfd,
	       const struct apus_notification *wanted)
{
	if (one->eventfd != eventfd || !same_address(&one->wanted, wanted) ||
	    one->wanted.size != wanted->size || one->wanted.flags != wanted->flags)
		return false;
	return !(wanted->flags & APUS_NOTIFICATION_DATA) || one->wanted.data == wanted->data;
}

/* Once this is over, each write either has signalled the eventfd or goes to the client. */
static long deassign(struct vm *vm, const struct eventfd_ctx *eventfd,
		     const struct apus_notification *wanted)
{
	unsigned int number;

	for (number = 0; number < APUS_NOTIFICATIONS; number++) {
		struct ioeventfd *one = at(vm, number);

		if (!one || !is(one, eventfd, wanted))
			continue;
		one->leaving = true;
		publish(vm);
		ioeventfds_follow(vm);
		rcu_assign_pointer(vm->ioeventfds[number], NULL);
		synchronize_rcu_expedited();
		discard(one);
		return 0;
	}
	return -ENOENT;
}

static int check(const struct kvm_ioeventfd *given)
{
	if (given->flags & ~FLAGS)
		return -EINVAL;
	if (given->len > 8 || (given->len && !is_power_of_2(given->len)))
		return -EINVAL;
	if (given->addr + given->len < given->addr)
		return -EINVAL;
	/* A write of any length has no data to compare. */
	if (!given->len && given->flags & KVM_IOEVENTFD_FLAG_DATAMATCH)
		return -EINVAL;
	return 0;
}

static struct apus_notification notification(const struct kvm_ioeventfd *given)
{
	struct apus_notification wanted = { .address = given->addr, .size = given->len };

	if (given->flags & KVM_IOEVENTFD_FLAG_PIO)
		wanted.flags |= APUS_NOTIFICATION_PIO;
	if (given->flags & KVM_IOEVENTFD_FLAG_DATAMATCH) {
		wanted.flags |= APUS_NOTIFICATION_DATA;
		wanted.data = given->datamatch & (~0ull >> (64 - 8 * given->len));
	}
	return wanted;
}

long ioeventfd_change(struct vm *vm, const void __user *argument)
{
	struct apus_notification wanted;
	struct kvm_ioeventfd given;
	struct eventfd_ctx *eventfd;
	bool keeps = false;
	long result;

	if (copy_from_user(&given, argument, sizeof(given)))
		return -EFAULT;
	result = check(&given);
	if (result)
		return result;
	eventfd = eventfd_ctx_fdget(given.fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	wanted = notification(&given);
	if (mutex_lock_killable(&vm->lock)) {
		result = -EINTR;
	} else {
		if (given.flags & KVM_IOEVENTFD_FLAG_DEASSIGN)
			result = deassign(vm, eventfd, &wanted);
		else
			result = assign(vm, eventfd, &wanted);
		keeps = !result && !(given.flags & KVM_IOEVENTFD_FLAG_DEASSIGN);
		mutex_unlock(&vm->lock);
	}
	if (!keeps)
		eventfd_ctx_put(eventfd);
	return result;
}

/* The doorbell does not know this VM any more, and no client can reach it. */
void ioeventfds_free(struct vm *vm)
{
	unsigned int number;

	for (number = 0; number < APUS_NOTIFICATIONS; number++) {
		struct ioeventfd *one = rcu_dereference_protected(vm->ioeventfds[number], true);

		RCU_INIT_POINTER(vm->ioeventfds[number], NULL);
		if (one)
			discard(one);
	}
}
