// SPDX-License-Identifier: GPL-2.0
/*
 * A VM ends with its owner. A child that inherited the file descriptors, or a process that was
 * sent them, can do nothing with the VM, yet keeps its files open: without this it would keep
 * the CPUs and the memory too.
 */
#include <linux/mmu_notifier.h>
#include <linux/workqueue.h>

#include "vm.h"

/* VMs whose owner is gone, and whose CPUs and memory are not yet given back. */
static atomic_t ending = ATOMIC_INIT(0);

bool owners_are_ending(void)
{
	return atomic_read(&ending);
}

/* No thread can be in a call: all of them left the owner's memory before it was torn down. */
static void end(struct work_struct *work)
{
	struct vm *vm = container_of(work, struct vm, orphaned);

	vm_stop(vm);
	vm_strip(vm);
	atomic_dec(&ending);
}

/*
 * Whoever gave up the owner's memory last may hold any lock, and taking a CPU online needs
 * many: a worker does it.
 */
static void on_release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	struct vm *vm = container_of(notifier, struct vm, owner);

	/* owner_forget() has this called too. */
	if (!refcount_read(&vm->users))
		return;
	atomic_inc(&ending);
	if (!queue_work(system_unbound_wq, &vm->orphaned))
		atomic_dec(&ending);
}

static const struct mmu_notifier_ops operations = {
	.release = on_release,
};

int owner_follow(struct vm *vm)
{
	INIT_WORK(&vm->orphaned, end);
	vm->owner.ops = &operations;
	return mmu_notifier_register(&vm->owner, vm->mm);
}

/*
 * First the notifier, which waits for those that may queue the work. Where the VM's last file is
 * its owner's, this is what makes the owner wait for the end of the work.
 */
void owner_forget(struct vm *vm)
{
	mmu_notifier_unregister(&vm->owner, vm->mm);
	if (cancel_work_sync(&vm->orphaned))
		atomic_dec(&ending);
}
