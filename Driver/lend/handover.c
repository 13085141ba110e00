// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU changes hands in a worker of this driver, while the task that wants it waits. A task whose cgroup
 * throttles it would otherwise be throttled with Linux's hotplug locks in its hands, and hold up
 * whoever moves a task between cgroups or wants a CPU of their own.
 */
#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/nospec.h>
#include <linux/refcount.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "handover.h"

static struct workqueue_struct *queue;

/* Who says it first: the worker that it is done, or the caller that it waits no longer. */
enum { WAITED_FOR, DONE, UNWANTED };

struct handover {
	struct work_struct work;
	struct completion done;
	refcount_t users; /* the caller and the worker */
	atomic_t state;
	unsigned int cpu;
	bool from_pool;
	struct lent *lent;
};

bool handover_is_unwanted(const struct handover *handover)
{
	return atomic_read(&handover->state) == UNWANTED;
}

static void put(struct handover *handover)
{
	if (refcount_dec_and_test(&handover->users))
		kfree(handover);
}

static void take(struct work_struct *work)
{
	struct handover *handover = container_of(work, struct handover, work);

	/* No CPU goes offline for a caller that was killed while others had their turn. */
	if (handover_is_unwanted(handover))
		handover->lent = ERR_PTR(-EINTR);
	else if (handover->from_pool)
		handover->lent = lend_from_pool(handover);
	else
		handover->lent = lend_cpu(handover->cpu, handover);
	if (atomic_cmpxchg(&handover->state, WAITED_FOR, DONE) == UNWANTED &&
	    !IS_ERR(handover->lent))
		lend_take_back(handover->lent);
	complete(&handover->done);
	put(handover);
}

/* The caller may be killed meanwhile: then the worker gives back what it gets. */
static struct lent *wait_for(unsigned int cpu, bool from_pool)
{
	struct handover *handover = kzalloc(sizeof(*handover), GFP_KERNEL_ACCOUNT);
	struct lent *lent = ERR_PTR(-EINTR);

	if (!handover)
		return ERR_PTR(-ENOMEM);
	INIT_WORK(&handover->work, take);
	init_completion(&handover->done);
	refcount_set(&handover->users, 2);
	handover->cpu = cpu;
	handover->from_pool = from_pool;
	queue_work(queue, &handover->work);
	if (!wait_for_completion_killable(&handover->done) ||
	    atomic_cmpxchg(&handover->state, WAITED_FOR, UNWANTED) == DONE)
		lent = handover->lent;
	put(handover);
	return lent;
}

/*
 * Before anything else is done with a client's number, which indexes bitmaps and per-CPU data. EPERM:
 * only who administrates the machine takes a CPU from it that is not in the pool.
 */
int lent_permit(unsigned long cpu)
{
	if (cpu >= nr_cpu_ids)
		return -ENODEV;
	cpu = array_index_nospec(cpu, nr_cpu_ids);
	return pool_contains(cpu) || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/* A CPU that lent_permit() permits. */
struct lent *lent_take(unsigned long cpu)
{
	return wait_for(array_index_nospec(cpu, nr_cpu_ids), false);
}

/*
 * Why there is no CPU of the pool for the caller. Clients show a number only: the reason is where an
 * administrator looks.
 */
void lent_explain(long error)
{
	if (error == -ENODEV)
		pr_notice_ratelimited("%s (%d) asks for a CPU, and the pool has none that is online: name some, as in `apus pool 2-3`\n",
				      current->comm, task_tgid_nr(current));
	else if (error == -EOPNOTSUPP)
		pr_notice_ratelimited("%s (%d) asks for a CPU, and none of the pool can run guests: once the reason in this log is removed, name the pool anew, as in `apus pool 2-3`\n",
				      current->comm, task_tgid_nr(current));
	else if (error == -EBUSY)
		pr_notice_ratelimited("%s (%d) asks for a CPU, and all of the pool are lent (%u): name more with `apus pool`, or give the guest fewer\n",
				      current->comm, task_tgid_nr(current), lent_count());
}

struct lent *lent_take_from_pool(void)
{
	return wait_for(0, true);
}

struct give_back {
	struct work_struct work;
	struct lent *lent;
	bool has_left;
};

static void give_back(struct work_struct *work)
{
	struct give_back *give = container_of(work, struct give_back, work);

	give->has_left = lend_take_back(give->lent);
}

/*
 * The CPU is Linux's again, or will be; the log says if not. False: it may still be in the
 * monitor, and use whatever its guest was given.
 */
bool lent_return(struct lent *lent)
{
	struct give_back give = { .lent = lent };

	INIT_WORK_ONSTACK(&give.work, give_back);
	queue_work(queue, &give.work);
	flush_work(&give.work);
	destroy_work_on_stack(&give.work);
	return give.has_left;
}

int handover_init(void)
{
	queue = alloc_ordered_workqueue("apus", 0);
	return queue ? 0 : -ENOMEM;
}

void handover_exit(void)
{
	destroy_workqueue(queue);
}
