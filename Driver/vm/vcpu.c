// SPDX-License-Identifier: GPL-2.0
/* A vCPU: its area, the CPU it has, and how that CPU is reached. */
#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "vm.h"
#include "vcpu_file.h"

static void set_reachable(struct vcpu *vcpu, struct lent *lent)
{
	struct vm *vm = vcpu->vm;
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->line_lock, flags);
	WRITE_ONCE(vm->control->apic_ids[vcpu->id], lent ? lent->apic_id : APUS_NO_APIC_ID);
	raw_spin_unlock_irqrestore(&vm->line_lock, flags);

	raw_spin_lock_irqsave(&vcpu->kick_lock, flags);
	vcpu->reachable = lent;
	raw_spin_unlock_irqrestore(&vcpu->kick_lock, flags);
}

static void set_lent(struct vcpu *vcpu, struct lent *lent)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vcpu->kick_lock, flags);
	vcpu->lent = lent;
	raw_spin_unlock_irqrestore(&vcpu->kick_lock, flags);
}

/* Nobody resets the CPU from now on, but it may still use the guest's memory: see vcpu_is_idle(). */
static struct lent *begin_to_leave(struct vcpu *vcpu)
{
	struct lent *lent;
	unsigned long flags;

	raw_spin_lock_irqsave(&vcpu->kick_lock, flags);
	lent = vcpu->lent;
	vcpu->lent = NULL;
	vcpu->leaving = true;
	raw_spin_unlock_irqrestore(&vcpu->kick_lock, flags);
	return lent;
}

/* Sets a request bit, then sends an NMI. docs/model names the steps, here and below. */
void vcpu_kick(struct vcpu *vcpu, u32 request)
{
	unsigned long flags;

	shared_or(&vcpu->control->requests, request); /* R1: set bit */
	raw_spin_lock_irqsave(&vcpu->kick_lock, flags);
	if (vcpu->reachable) {
		ipi_nmi(vcpu->lent->apic_id); /* R2: send NMI */
		atomic64_inc(&vcpu->kicks);
	}
	raw_spin_unlock_irqrestore(&vcpu->kick_lock, flags);
}

/* A processor that handles an NMI keeps one more: so does a monitor that has not taken the first yet. */
void vcpu_send_nmi(struct vcpu *vcpu)
{
	bool waits = READ_ONCE(vcpu->control->requests) & APUS_REQUEST_NMI;

	vcpu_kick(vcpu, waits ? APUS_REQUEST_SECOND_NMI : APUS_REQUEST_NMI);
}

static void give_back(struct vcpu *vcpu)
{
	if (lent_return(begin_to_leave(vcpu)))
		account_uncharge(vcpu->vm->account, ACCOUNT_LENT_CPUS);
	else
		WRITE_ONCE(vcpu->vm->lost, true);
	/* After `lost`: whoever sees the vCPU idle also sees whether its CPU has really left. */
	smp_store_release(&vcpu->leaving, false);
	vms_leave(vcpu->vm);
}

/* A CPU that was charged serves this vCPU from now on. Under vcpu->lock. */
static int bind_to(struct vcpu *vcpu, struct lent *lent)
{
	long result;

	if (IS_ERR(lent)) {
		account_uncharge(vcpu->vm->account, ACCOUNT_LENT_CPUS);
		return PTR_ERR(lent);
	}
	set_lent(vcpu, lent);
	vms_join(vcpu->vm);
	result = lent_command(lent, APUS_COMMAND_BIND, vcpu->control->area,
			      vcpu->vm->control->area);
	if (result < 0) {
		give_back(vcpu);
		return result;
	}
	atomic_set(&vcpu->last_cpu, lent->cpu);
	set_reachable(vcpu, lent);
	bypasses_follow(vcpu->vm);
	return 0;
}

/* One more CPU for this user, and not too soon. */
static int charge_cpu(struct vcpu *vcpu)
{
	int error = account_charge(vcpu->vm->account, ACCOUNT_LENT_CPUS);

	if (error)
		return error;
	error = account_await_turn(vcpu->vm->account);
	if (error)
		account_uncharge(vcpu->vm->account, ACCOUNT_LENT_CPUS);
	return error;
}

int vcpu_bind(struct vcpu *vcpu)
{
	int error;

	if (vcpu->broken || vcpu->closed)
		return -EIO;
	if (vcpu->lent)
		return 0;
	error = charge_cpu(vcpu);
	return error ? error : bind_to(vcpu, lent_take_from_pool());
}

/* KVM_SET_LENT_CPU */
int vcpu_set_lent_cpu(struct vcpu *vcpu, unsigned long cpu)
{
	int error;

	if (vcpu->broken || vcpu->closed)
		return -EIO;
	if (vcpu->lent)
		return vcpu->lent->cpu == cpu ? 0 : -EBUSY;
	error = lent_permit(cpu);
	if (!error)
		error = charge_cpu(vcpu);
	return error ? error : bind_to(vcpu, lent_take(cpu));
}

/* It has no CPU, or that does nothing until the next command. */
static bool is_resting(struct vcpu *vcpu)
{
	unsigned long flags;
	bool resting = true;

	raw_spin_lock_irqsave(&vcpu->kick_lock, flags);
	if (vcpu->lent) {
		struct apus_cpu *control = vcpu->lent->control;

		resting = READ_ONCE(control->command_sequence) ==
			  smp_load_acquire(&control->done_sequence);
	}
	raw_spin_unlock_irqrestore(&vcpu->kick_lock, flags);
	return resting;
}

#define SETTLE_MS 100

/*
 * A vCPU that runs may have looked up where this one was, and not yet sent its interrupt
 * there. Once it has taken a request that was made after this one's CPU was struck out, it
 * has, and will look again before the next.
 */
static void settle(struct vcpu *vcpu)
{
	unsigned long end = jiffies + msecs_to_jiffies(SETTLE_MS);
	unsigned int id;

	for (id = 0; id < APUS_VCPUS; id++) {
		struct vcpu *other = smp_load_acquire(&vcpu->vm->vcpus[id]);

		if (!other || other == vcpu || is_resting(other))
			continue;
		vcpu_kick(other, APUS_REQUEST_LINES);
		while (READ_ONCE(other->control->requests) & APUS_REQUEST_LINES &&
		       !is_resting(other) && time_before(jiffies, end))
			usleep_range(20, 50);
	}
}

/* The CPU goes back to Linux; the vCPU's state is complete in its area. Under vcpu->lock. */
void vcpu_surrender(struct vcpu *vcpu)
{
	if (!vcpu->lent)
		return;
	set_reachable(vcpu, NULL);
	/* From here on devices send it nothing; what they have sent is in its APIC, which is drained. */
	bypasses_follow(vcpu->vm);
	settle(vcpu);
	give_back(vcpu);
}

/* The monitor does not answer, or has stopped: this vCPU ends here. Under vcpu->lock. */
void vcpu_break(struct vcpu *vcpu)
{
	vcpu->broken = true;
	vcpu_reset(vcpu);
	vcpu_surrender(vcpu);
}

/* Its CPU stops at once; who waits for an answer finds out, and takes the CPU back. */
void vcpu_reset(struct vcpu *vcpu)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vcpu->kick_lock, flags);
	vcpu->reachable = false;
	if (vcpu->lent)
		lent_reset(vcpu->lent);
	raw_spin_unlock_irqrestore(&vcpu->kick_lock, flags);
	wake_up_all(&doorbell_waiters);
}

/*
 * True if this vCPU uses no page of a slot table older than `generation`: it said so, or
 * its CPU does nothing, and will look before it does something. A CPU that is leaving may be one that
 * did not answer, and that has to be reset: it has left when it is Linux's, or the VM's `lost` is set.
 */
bool vcpu_is_idle(struct vcpu *vcpu, u32 generation)
{
	return READ_ONCE(vcpu->control->slots_generation) == generation ||
	       (is_resting(vcpu) && !smp_load_acquire(&vcpu->leaving));
}

/* Takes the lock soon, even from a thread that is in KVM_RUN. vcpu_leave() ends it. */
int vcpu_visit(struct vcpu *vcpu)
{
	atomic_inc(&vcpu->visitors); /* V1 */
	vcpu_kick(vcpu, APUS_REQUEST_EXIT);
	if (!mutex_lock_killable(&vcpu->lock))
		return 0;
	vcpu_leave(vcpu);
	return -EINTR;
}

void vcpu_leave(struct vcpu *vcpu)
{
	if (atomic_dec_and_test(&vcpu->visitors))
		wake_up_all(&vcpu->visited);
}

/* The file is gone, and with it the CPU; what remains is state that the VM owns. */
void vcpu_close(struct vcpu *vcpu)
{
	mutex_lock(&vcpu->lock);
	vcpu->closed = true;
	vcpu_surrender(vcpu);
	mutex_unlock(&vcpu->lock);
	vm_put(vcpu->vm);
}

static struct vcpu *vcpu_allocate(struct vm *vm, u32 id)
{
	struct vcpu *vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	int error;

	BUILD_BUG_ON(sizeof(struct apus_vcpu) >
		     (APUS_VCPU_PAGE_PAYLOAD - APUS_VCPU_PAGE_CONTROL) * APUS_PAGE_SIZE);
	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	error = account_charge(vm->account, ACCOUNT_VCPUS);
	if (error) {
		kfree(vcpu);
		return ERR_PTR(error);
	}
	vcpu->area = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, APUS_VCPU_ORDER);
	if (!vcpu->area) {
		account_uncharge(vm->account, ACCOUNT_VCPUS);
		kfree(vcpu);
		return ERR_PTR(-ENOMEM);
	}
	vcpu->vm = vm;
	vcpu->id = id;
	mutex_init(&vcpu->lock);
	raw_spin_lock_init(&vcpu->kick_lock);
	init_waitqueue_head(&vcpu->visited);
	atomic_set(&vcpu->last_cpu, -1);
	vcpu->control = vcpu->area + APUS_VCPU_PAGE_CONTROL * PAGE_SIZE;
	vcpu->control->area = __pa(vcpu->area);
	vcpu->control->id = id;
	vcpu->control->bootstrap = id == vm->boot_id;
	return vcpu;
}

/* With the VM, when nobody can reach it any more. */
void vcpu_free(struct vcpu *vcpu)
{
	if (!vcpu)
		return;
	account_uncharge(vcpu->vm->account, ACCOUNT_VCPUS);
	free_pages((unsigned long)vcpu->area, APUS_VCPU_ORDER);
	kfree(vcpu);
}

static long create(struct vm *vm, u32 id)
{
	struct vcpu *vcpu;
	struct file *file;
	int descriptor;

	if (vm->vcpus[id])
		return -EEXIST;
	descriptor = get_unused_fd_flags(O_CLOEXEC);
	if (descriptor < 0)
		return descriptor;
	vcpu = vcpu_allocate(vm, id);
	if (IS_ERR(vcpu)) {
		put_unused_fd(descriptor);
		return PTR_ERR(vcpu);
	}
	file = anon_inode_getfile("apus-vcpu", &vcpu_operations, vcpu, O_RDWR);
	if (IS_ERR(file)) {
		vcpu_free(vcpu);
		put_unused_fd(descriptor);
		return PTR_ERR(file);
	}
	vm_get(vm); /* vcpu_close() gives it back */
	WRITE_ONCE(vm->control->vcpu_count, max(vm->control->vcpu_count, id + 1));
	smp_store_release(&vm->vcpus[id], vcpu);
	/* Last: another thread may guess the number, and a vCPU that the VM does not know could
	 * run on memory that is being taken away. */
	fd_install(descriptor, file);
	return descriptor;
}

/* KVM_CREATE_VCPU: a file descriptor. */
long vcpu_create(struct vm *vm, unsigned long id)
{
	long result;

	if (id >= APUS_VCPUS)
		return -EINVAL;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	id = array_index_nospec(id, APUS_VCPUS);
	result = id < vm->most_vcpu_ids ? create(vm, id) : -EINVAL;
	mutex_unlock(&vm->lock);
	return result;
}
