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
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <asm/tsc.h>

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

bool vcpu_has_cpu(struct vcpu *vcpu, unsigned long cpu)
{
	unsigned long flags;
	bool has;

	raw_spin_lock_irqsave(&vcpu->kick_lock, flags);
	has = vcpu->lent && vcpu->lent->cpu == cpu;
	raw_spin_unlock_irqrestore(&vcpu->kick_lock, flags);
	return has;
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

/* The vCPU has its trace from now on, until it is freed. */
static int allocate_trace(struct vcpu *vcpu)
{
	struct apus_trace *trace;

	BUILD_BUG_ON(APUS_TRACE_FIRST + APUS_TRACE_EVENTS * sizeof(struct apus_trace_event) !=
		     APUS_TRACE_SIZE);
	if (smp_load_acquire(&vcpu->trace))
		return 0;
	trace = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, APUS_TRACE_ORDER);
	if (!trace)
		return -ENOMEM;
	trace->next = APUS_TRACE_FIRST;
	trace->tsc_khz = tsc_khz;
	/* Another thread may have been quicker. */
	if (cmpxchg(&vcpu->trace, NULL, trace))
		free_pages((unsigned long)trace, APUS_TRACE_ORDER);
	return 0;
}

/* KVM_APUS_TRACE */
long vcpu_trace(struct vcpu *vcpu, unsigned long wanted)
{
	int error;

	if (wanted > 1)
		return -EINVAL;
	if (wanted) {
		error = allocate_trace(vcpu);
		if (error)
			return error;
		WRITE_ONCE(vcpu->control->trace, __pa(vcpu->trace));
	}
	smp_store_release(&vcpu->control->traces, wanted);
	vcpu_kick(vcpu, APUS_REQUEST_TRACE);
	return 0;
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

/* Owners that were sent SIGKILL a moment ago may not have begun to end. */
#define GRACE_MS 200
/* Giving a CPU back takes less, by force too. */
#define PATIENCE_MS 5000

/* A CPU whose VM is just ending is worth waiting for. Killable. */
static struct lent *take_cpu(unsigned long cpu)
{
	unsigned long grace = jiffies + msecs_to_jiffies(GRACE_MS);
	unsigned long end = jiffies + msecs_to_jiffies(PATIENCE_MS);
	struct lent *lent;

	for (;;) {
		/* Before the attempt: what ended during it is worth another. */
		bool ending = owners_are_ending();

		lent = cpu == ANY_CPU ? lent_take_from_pool() : lent_take(cpu);
		if (lent != ERR_PTR(-EBUSY) || lending_is_stopped() ||
		    time_after(jiffies, ending ? end : grace))
			break;
		schedule_timeout_killable(msecs_to_jiffies(10));
		if (fatal_signal_pending(current))
			return ERR_PTR(-EINTR);
	}
	if (cpu == ANY_CPU && IS_ERR(lent))
		lent_explain(PTR_ERR(lent));
	return lent;
}

int vcpu_bind(struct vcpu *vcpu)
{
	int error;

	if (vcpu->broken || vcpu->closed)
		return -EIO;
	if (vcpu->lent)
		return 0;
	error = charge_cpu(vcpu);
	return error ? error : bind_to(vcpu, take_cpu(ANY_CPU));
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
	return error ? error : bind_to(vcpu, take_cpu(cpu));
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

/*
 * True if this vCPU's guest reaches nothing that was revoked up to this number: it said so, or is not in its
 * guest and will look before it enters. A CPU that is not reachable was reset, or is not there yet.
 */
bool vcpu_let_go(struct vcpu *vcpu, u32 revocation)
{
	unsigned long flags;
	bool reachable;

	if ((s32)(READ_ONCE(vcpu->control->revocations) - revocation) >= 0)
		return true;
	raw_spin_lock_irqsave(&vcpu->kick_lock, flags);
	reachable = vcpu->reachable;
	raw_spin_unlock_irqrestore(&vcpu->kick_lock, flags);
	return !reachable || is_resting(vcpu);
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
	vcpu->closed = true;
	return vcpu;
}

/* With the VM, when nobody can reach it any more. */
void vcpu_free(struct vcpu *vcpu)
{
	if (!vcpu)
		return;
	account_uncharge(vcpu->vm->account, ACCOUNT_VCPUS);
	if (vcpu->trace)
		free_pages((unsigned long)vcpu->trace, APUS_TRACE_ORDER);
	free_pages((unsigned long)vcpu->area, APUS_VCPU_ORDER);
	kfree(vcpu);
}

/*
 * A vCPU that the VM knows and that no client has: before its CPU is taken, for one that the VM did not know
 * could run on memory that is being taken away. One that found no CPU stays for the next attempt.
 */
static struct vcpu *claim(struct vm *vm, u32 id)
{
	struct vcpu *vcpu = vm->vcpus[id];

	if (vcpu && vcpu->claimed)
		return ERR_PTR(-EEXIST);
	if (!vcpu) {
		vcpu = vcpu_allocate(vm, id);
		if (IS_ERR(vcpu))
			return vcpu;
		smp_store_release(&vm->vcpus[id], vcpu);
	}
	vcpu->claimed = true;
	vcpu->control->bootstrap = id == vm->boot_id;
	WRITE_ONCE(vm->control->vcpu_count, max(vm->control->vcpu_count, id + 1));
	return vcpu;
}

static void let_go(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	u32 id, count = 0;

	mutex_lock(&vm->lock);
	vcpu->claimed = false;
	for (id = 0; id < APUS_VCPUS; id++)
		if (vm->vcpus[id] && vm->vcpus[id]->claimed)
			count = id + 1;
	WRITE_ONCE(vm->control->vcpu_count, count);
	mutex_unlock(&vm->lock);
}

/* The CPU that it has from the pool, unless the client is going to name one. */
static int open_vcpu(struct vcpu *vcpu)
{
	int error = 0;

	if (mutex_lock_killable(&vcpu->lock))
		return -EINTR;
	vcpu->closed = false;
	if (!READ_ONCE(vcpu->vm->names_cpus))
		error = vcpu_bind(vcpu);
	if (error)
		vcpu->closed = true;
	mutex_unlock(&vcpu->lock);
	return error;
}

/* The file of a vCPU that is open: it closes it again. */
static int install(struct vcpu *vcpu)
{
	struct file *file;
	int descriptor = get_unused_fd_flags(O_CLOEXEC);

	vm_get(vcpu->vm); /* vcpu_close() gives it back */
	file = descriptor < 0 ? ERR_PTR(descriptor) :
	       anon_inode_getfile("apus-vcpu", &vcpu_operations, vcpu, O_RDWR);
	if (IS_ERR(file)) {
		if (descriptor >= 0)
			put_unused_fd(descriptor);
		vcpu_close(vcpu);
		return PTR_ERR(file);
	}
	fd_install(descriptor, file);
	return descriptor;
}

/*
 * KVM_CREATE_VCPU: a file descriptor. The vCPU has a CPU of the pool from here on: ENODEV and EBUSY say that
 * there is none, and later calls do not.
 */
long vcpu_create(struct vm *vm, unsigned long id)
{
	struct vcpu *vcpu;
	int result;

	if (id >= APUS_VCPUS)
		return -EINVAL;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	id = array_index_nospec(id, APUS_VCPUS);
	vcpu = id < vm->most_vcpu_ids ? claim(vm, id) : ERR_PTR(-EINVAL);
	mutex_unlock(&vm->lock);
	if (IS_ERR(vcpu))
		return PTR_ERR(vcpu);
	result = open_vcpu(vcpu);
	if (!result)
		result = install(vcpu);
	if (result < 0)
		let_go(vcpu);
	return result;
}
