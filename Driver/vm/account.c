// SPDX-License-Identifier: GPL-2.0
/* What each user has of VMs, vCPUs, lent CPUs and pinned memory, and how much each may have. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/hashtable.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>

#include "vm.h"

static unsigned int limits[ACCOUNT_KINDS] = {
	[ACCOUNT_VMS] = 64,
	[ACCOUNT_VCPUS] = 256,
	[ACCOUNT_LENT_CPUS] = UINT_MAX, /* the pool is a limit already */
};
module_param_named(user_vms, limits[ACCOUNT_VMS], uint, 0644);
MODULE_PARM_DESC(user_vms, "VMs that one user may have; CAP_SYS_RESOURCE is above it");
module_param_named(user_vcpus, limits[ACCOUNT_VCPUS], uint, 0644);
MODULE_PARM_DESC(user_vcpus, "vCPUs that one user may have; CAP_SYS_RESOURCE is above it");
module_param_named(user_lent_cpus, limits[ACCOUNT_LENT_CPUS], uint, 0644);
MODULE_PARM_DESC(user_lent_cpus, "CPUs that one user may have at a time; CAP_SYS_RESOURCE is above it");

/*
 * A hand-over costs the whole machine: each stops all CPUs for a moment, and writes to the log. So many
 * come at once, and then one in each interval.
 */
#define HANDOVER_BURST 8
static unsigned int user_handover_ms = 250;
module_param(user_handover_ms, uint, 0644);
MODULE_PARM_DESC(user_handover_ms, "Milliseconds between CPUs that one user takes, after the first 8; CAP_SYS_RESOURCE is above it");

struct account {
	struct hlist_node node;
	struct user_struct *user;
	unsigned int openings;
	unsigned int counts[ACCOUNT_KINDS];
	unsigned long next_handover; /* jiffies; may be past */
};

static DEFINE_SPINLOCK(accounts_lock); /* of the table, and of all numbers in it */
static DEFINE_HASHTABLE(accounts, 6);

static struct account *find(const struct user_struct *user)
{
	struct account *account;

	hash_for_each_possible(accounts, account, node, (unsigned long)user)
		if (account->user == user)
			return account;
	return NULL;
}

/* The earliest turn that is as good as none, in jiffies. */
static unsigned long earliest_turn(void)
{
	return jiffies - HANDOVER_BURST * msecs_to_jiffies(READ_ONCE(user_handover_ms));
}

/*
 * Frees those that nobody needs any more: a user without a VM is remembered as long as the last
 * hand-overs count.
 */
static void sweep(bool all)
{
	struct account *account;
	struct hlist_node *next;
	HLIST_HEAD(unused);
	int bucket;

	spin_lock(&accounts_lock);
	hash_for_each_safe(accounts, bucket, next, account, node) {
		if (account->openings || (!all && time_after(account->next_handover, earliest_turn())))
			continue;
		hash_del(&account->node);
		hlist_add_head(&account->node, &unused);
	}
	spin_unlock(&accounts_lock);
	hlist_for_each_entry_safe(account, next, &unused, node) {
		free_uid(account->user);
		kfree(account);
	}
}

/* The caller's, for a VM. */
struct account *account_open(void)
{
	struct account *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	struct account *account;

	if (!fresh)
		return ERR_PTR(-ENOMEM);
	sweep(false);
	spin_lock(&accounts_lock);
	account = find(current_user());
	if (!account) {
		account = fresh;
		fresh = NULL;
		account->next_handover = earliest_turn();
		account->user = get_uid(current_user());
		hash_add(accounts, &account->node, (unsigned long)account->user);
	}
	account->openings++;
	spin_unlock(&accounts_lock);
	kfree(fresh);
	return account;
}

void account_close(struct account *account)
{
	spin_lock(&accounts_lock);
	account->openings--;
	spin_unlock(&accounts_lock);
	sweep(false);
}

bool account_is_current_users(const struct account *account)
{
	return account->user == current_user();
}

/* When the module goes, and no VM is left. */
void accounts_free(void)
{
	sweep(true);
}

static bool charge_up_to(struct account *account, enum account_kind kind, unsigned int limit)
{
	bool fits;

	spin_lock(&accounts_lock);
	fits = account->counts[kind] < limit;
	if (fits)
		account->counts[kind]++;
	spin_unlock(&accounts_lock);
	return fits;
}

/* EDQUOT: the user has as many as one may have. */
int account_charge(struct account *account, enum account_kind kind)
{
	if (charge_up_to(account, kind, READ_ONCE(limits[kind])))
		return 0;
	if (capable(CAP_SYS_RESOURCE) && charge_up_to(account, kind, UINT_MAX))
		return 0;
	return -EDQUOT;
}

void account_uncharge(struct account *account, enum account_kind kind)
{
	spin_lock(&accounts_lock);
	account->counts[kind]--;
	spin_unlock(&accounts_lock);
}

/* When this user may take another CPU, in jiffies; the turn is used up. */
static unsigned long take_turn(struct account *account)
{
	unsigned long earliest = earliest_turn(), turn;

	spin_lock(&accounts_lock);
	if (time_before(account->next_handover, earliest))
		account->next_handover = earliest;
	account->next_handover += msecs_to_jiffies(READ_ONCE(user_handover_ms));
	turn = account->next_handover;
	spin_unlock(&accounts_lock);
	return turn;
}

/* Waits for the user's turn. EINTR: killed; EBUSY: no CPU is lent any more. */
int account_await_turn(struct account *account)
{
	unsigned long turn;

	if (capable(CAP_SYS_RESOURCE))
		return 0;
	turn = take_turn(account);
	while (time_after(turn, jiffies)) {
		if (lending_is_stopped())
			return -EBUSY;
		if (schedule_timeout_killable(min(turn - jiffies, (unsigned long)HZ / 10)) &&
		    fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

static int charge_user(struct user_struct *user, unsigned long pages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	long locked = atomic_long_read(&user->locked_vm);

	do {
		if (locked + pages > limit && !capable(CAP_IPC_LOCK))
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &locked, locked + pages));
	return 0;
}

static void uncharge_user(struct user_struct *user, unsigned long pages)
{
	atomic_long_sub(pages, &user->locked_vm);
}

/*
 * RLIMIT_MEMLOCK holds for the owner's process, as with mlock(), and for all of the user's
 * together, as with io_uring: otherwise a user with many processes could pin all memory.
 */
int account_pin(struct vm *vm, unsigned long pages)
{
	int error = charge_user(vm->account->user, pages);

	if (error)
		return error;
	error = account_locked_vm(vm->mm, pages, true);
	if (error)
		uncharge_user(vm->account->user, pages);
	return error;
}

void account_unpin(struct vm *vm, unsigned long pages)
{
	account_locked_vm(vm->mm, pages, false);
	uncharge_user(vm->account->user, pages);
}
