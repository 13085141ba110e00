// SPDX-License-Identifier: GPL-2.0
/* All VMs: who is told that the doorbell rang, and who has to stop before a reboot. */
#include <linux/capability.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>

#include "vm.h"

static DEFINE_RAW_SPINLOCK(list_lock); /* of changes; taken with interrupts off */
static LIST_HEAD(vms);
static unsigned int count;
static LIST_HEAD(followed); /* those that have a CPU; of changes, under list_lock too */

unsigned int vm_count(void)
{
	return READ_ONCE(count);
}

void vms_show(struct seq_file *file, void (*show)(struct seq_file *file, const struct vm *vm))
{
	const struct vm *vm;

	rcu_read_lock();
	list_for_each_entry_rcu(vm, &vms, node)
		show(file, vm);
	rcu_read_unlock();
}

void vms_add(struct vm *vm)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&list_lock, flags);
	list_add_rcu(&vm->node, &vms);
	count++;
	raw_spin_unlock_irqrestore(&list_lock, flags);
}

/* Afterwards nobody looks at this VM for the doorbell. */
void vms_remove(struct vm *vm)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&list_lock, flags);
	list_del_rcu(&vm->node);
	count--;
	raw_spin_unlock_irqrestore(&list_lock, flags);
	synchronize_rcu_expedited();
}

/*
 * A guest may have programmed its PIT, or written what eventfds wait for. No lock is held: those who
 * wait for an eventfd are called from here.
 */
static void follow(struct vm *vm)
{
	timer_follow(vm);
	ioeventfds_follow(vm);
	lines_follow(vm);
	bypasses_look(vm);
}

/*
 * The doorbell rang. A VM without a CPU has no monitor that could ring: there are no more VMs to look at
 * than lent CPUs, however many VMs there are.
 */
void vms_follow(void)
{
	struct vm *vm;

	rcu_read_lock();
	list_for_each_entry_rcu(vm, &followed, followed_node)
		follow(vm);
	rcu_read_unlock();
}

/* A vCPU gets a CPU. */
void vms_join(struct vm *vm)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&list_lock, flags);
	if (!vm->followed_vcpus++) {
		list_add_rcu(&vm->followed_node, &followed);
		timer_resume(vm);
	}
	raw_spin_unlock_irqrestore(&list_lock, flags);
}

/* A vCPU has given its CPU back. Its last ring may not have been answered yet. */
void vms_leave(struct vm *vm)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&list_lock, flags);
	if (!--vm->followed_vcpus) {
		list_del_rcu(&vm->followed_node);
		timer_pause(vm);
	}
	raw_spin_unlock_irqrestore(&list_lock, flags);
	follow(vm);
}

/* A VM that is going away already is left alone: its CPUs are on their way. */
static struct vm *first_vm_after(const struct list_head *seen)
{
	struct vm *vm, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&list_lock, flags);
	vm = list_entry(seen ? seen : &vms, struct vm, node);
	list_for_each_entry_continue(vm, &vms, node) {
		if (refcount_inc_not_zero(&vm->users)) {
			found = vm;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&list_lock, flags);
	return found;
}

/* A thread in KVM_RUN lets go of the lock within EXIT_MS of a kick, or its monitor does not answer. */
#define STOP_MS (2 * EXIT_MS)

/* Takes the lock from a thread in KVM_RUN; where nobody answers, by resetting the vCPU's CPU. */
static void lock_to_stop(struct vcpu *vcpu)
{
	unsigned long end = jiffies + msecs_to_jiffies(STOP_MS);

	while (!mutex_trylock(&vcpu->lock)) {
		if (time_after(jiffies, end)) {
			pr_err("vCPU %u does not stop\n", vcpu->id);
			vcpu_reset(vcpu);
			mutex_lock(&vcpu->lock);
			return;
		}
		usleep_range(500, 1000);
	}
}

/* Its CPU goes back to Linux, and it gets none again. `cpu`: only if that is the one that it has, or ANY_CPU. */
static bool stop_vcpu(struct vcpu *vcpu, unsigned long cpu)
{
	bool stops;

	atomic_inc(&vcpu->visitors);
	vcpu_kick(vcpu, APUS_REQUEST_EXIT);
	lock_to_stop(vcpu);
	stops = cpu == ANY_CPU || vcpu_has_cpu(vcpu, cpu);
	if (stops) {
		vcpu->broken = true;
		vcpu_surrender(vcpu);
	}
	mutex_unlock(&vcpu->lock);
	vcpu_leave(vcpu);
	return stops;
}

/* All its CPUs go back to Linux, and it gets none again. */
void vm_stop(struct vm *vm)
{
	int id;

	for (id = 0; id < APUS_VCPUS; id++) {
		struct vcpu *vcpu = READ_ONCE(vm->vcpus[id]);

		if (vcpu)
			stop_vcpu(vcpu, ANY_CPU);
	}
}

static bool reclaim_from(struct vm *vm, unsigned long cpu)
{
	int id;

	for (id = 0; id < APUS_VCPUS; id++) {
		struct vcpu *vcpu = READ_ONCE(vm->vcpus[id]);

		/* It may give that CPU back meanwhile, and is left alone then. */
		if (vcpu && vcpu_has_cpu(vcpu, cpu) && stop_vcpu(vcpu, cpu))
			return true;
	}
	return false;
}

/* APUS_RECLAIM_CPU */
long vms_reclaim(unsigned long cpu)
{
	struct vm *vm;
	bool found = false;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	vm = first_vm_after(NULL);
	while (vm) {
		struct vm *next = NULL;

		found = reclaim_from(vm, cpu);
		if (!found)
			next = first_vm_after(&vm->node);
		vm_put(vm);
		vm = next;
	}
	if (!found)
		return -ENODEV;
	pr_info("CPU %lu was reclaimed from its guest\n", cpu);
	return 0;
}

/* Every lent CPU goes back to Linux, whoever uses it. No new ones are lent meanwhile. */
void vm_stop_all(void)
{
	struct vm *vm = first_vm_after(NULL);

	while (vm) {
		struct vm *next;

		vm_stop(vm);
		next = first_vm_after(&vm->node);
		vm_put(vm);
		vm = next;
	}
}
