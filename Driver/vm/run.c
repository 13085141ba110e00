// SPDX-License-Identifier: GPL-2.0
/* KVM_RUN: the guest runs on its CPU, and this thread waits. */
#include <linux/jiffies.h>
#include <linux/sched/clock.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "vm.h"

/* True if this thread's mask was changed; a visitor may change what the vCPU wants of the next. */
static bool mask_signals(struct vcpu *vcpu)
{
	if (vcpu->masks_signals)
		sigprocmask(SIG_SETMASK, &vcpu->signals, &current->real_blocked);
	return vcpu->masks_signals;
}

static void unmask_signals(void)
{
	sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
	sigemptyset(&current->real_blocked);
}

/* A guest that came back within this many times poll_us is likely to do so again. */
#define SOON 8

/*
 * A guest that talks to a device of the client exits again within microseconds, and then a
 * wake-up would cost more than the wait. One that stays away is not waited for like this.
 */
static void await_exit(struct vcpu *vcpu, struct lent *lent, u32 sequence)
{
	u64 window = (u64)poll_interval_us() * NSEC_PER_USEC;
	u64 start = local_clock();

	if (vcpu->returns_soon) {
		WRITE_ONCE(lent->control->watching, 1);
		while (local_clock() - start < window) {
			if (lent_answered(lent, sequence) || signal_pending(current) ||
			    need_resched())
				break;
			cpu_relax();
		}
		WRITE_ONCE(lent->control->watching, 0);
		smp_mb(); /* pairs with the monitor's exchange of `done_sequence` */
	}
	lent_wait(lent, sequence);
	vcpu->returns_soon = local_clock() - start < SOON * window;
}

/* The monitor's result; -EIO: none, and the vCPU has ended. `answer` is enum apus_page_answer. */
static long run_once(struct vcpu *vcpu, u32 answer)
{
	struct lent *lent = vcpu->lent;
	u32 sequence = lent_post(lent, APUS_COMMAND_RUN, answer, 0);
	int error;

	await_exit(vcpu, lent, sequence);
	if (!lent_done(lent, sequence)) {
		vcpu_kick(vcpu, APUS_REQUEST_EXIT);
		error = lent_await(lent, sequence, EXIT_MS);
		if (error) {
			if (error == -ETIMEDOUT)
				pr_err("CPU %u: the guest cannot be interrupted\n", lent->cpu);
			vcpu_break(vcpu);
			return -EIO;
		}
	}
	/* D1: it was answered; a visitor that does not have the lock yet is found by its count. */
	shared_clear(&vcpu->control->requests, APUS_REQUEST_EXIT);
	return lent->control->result;
}

/* Lets another thread have the lock for a moment: it asked this one to stop for that. */
static int receive_visitors(struct vcpu *vcpu)
{
	int result;

	vcpu->receiving = true;
	mutex_unlock(&vcpu->lock);
	result = wait_event_interruptible(vcpu->visited, !atomic_read(&vcpu->visitors));
	mutex_lock(&vcpu->lock); /* nobody has it for long: see vcpu_run() */
	vcpu->receiving = false;
	if (vcpu->broken || vcpu->closed)
		return -EIO;
	return result ? -EINTR : 0;
}

static bool wants_to_return(struct vcpu *vcpu, long result)
{
	struct kvm_run *run = vcpu->area + APUS_VCPU_PAGE_RUN * PAGE_SIZE;

	return result != -EINTR || signal_pending(current) || immediate_exit_of(run);
}

/* What the guest accessed and does not have. A signal is not put off by more of that. */
static u32 find_page(struct vcpu *vcpu)
{
	u32 answer = mirror_fault(vcpu);

	if (signal_pending(current))
		shared_or(&vcpu->control->requests, APUS_REQUEST_EXIT);
	return answer;
}

/* Under vcpu->lock. */
long vcpu_run(struct vcpu *vcpu)
{
	u32 answer = APUS_PAGE_RETRY;
	bool masked;
	long result;

	/* Another thread is in KVM_RUN and has only lent the lock. */
	if (vcpu->receiving)
		return -EBUSY;
	result = vcpu_bind(vcpu);
	if (result)
		return result;
	masked = mask_signals(vcpu);
	for (;;) {
		/*
		 * D0 of docs/model: a visitor's request, one whose visitor has been and gone, or
		 * one that the end of an earlier run answered before its visitor had the lock.
		 */
		if (atomic_read(&vcpu->visitors)) {
			result = receive_visitors(vcpu);
			/* What the client has answered is finished all the same, as KVM does. */
			if (result == -EINTR)
				shared_or(&vcpu->control->requests, APUS_REQUEST_EXIT);
			else if (result)
				break;
		}
		result = run_once(vcpu, answer);
		answer = APUS_PAGE_RETRY;
		if (result == APUS_RUN_PAGE) {
			answer = find_page(vcpu);
			continue;
		}
		/* D2 */
		if (wants_to_return(vcpu, result))
			break;
	}
	if (masked)
		unmask_signals();
	return result;
}
