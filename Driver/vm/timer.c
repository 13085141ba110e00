// SPDX-License-Identifier: GPL-2.0
/* The PIT of a VM whose monitor has no timer of its own: its expiries are edges of a line. */
#include <linux/hrtimer.h>
#include <linux/math64.h>

#include <asm/msr.h>
#include <asm/tsc.h>

#include "vm.h"

/* As KVM's: a guest must not keep the host busy with a timer. */
#define SHORTEST_PERIOD_NS (200 * NSEC_PER_USEC)
#define LONGEST_DELAY_NS (3600ull * NSEC_PER_SEC)

/* False if the guest has stopped the timer, or lost its last CPU, when it had expired already. */
static bool is_wanted(struct vm *vm)
{
	unsigned long flags;
	bool wanted;

	raw_spin_lock_irqsave(&vm->timer_lock, flags);
	if (!vm->timer_runs)
		vm->timer_paused = vm->timer_armed;
	wanted = vm->timer_armed && vm->timer_runs;
	raw_spin_unlock_irqrestore(&vm->timer_lock, flags);
	return wanted;
}

static enum hrtimer_restart expire(struct hrtimer *timer)
{
	struct vm *vm = container_of(timer, struct vm, timer);
	enum hrtimer_restart restart = HRTIMER_NORESTART;
	unsigned int line = READ_ONCE(vm->control->timer.line);
	unsigned long flags;

	if (!is_wanted(vm))
		return HRTIMER_NORESTART;
	if (line < APUS_LINES) {
		line_set(vm, line, true);
		line_set(vm, line, false);
	}

	raw_spin_lock_irqsave(&vm->timer_lock, flags);
	/* Armed anew meanwhile: then it is queued already. */
	if (vm->timer_period && !hrtimer_is_queued(timer)) {
		hrtimer_forward_now(timer, ns_to_ktime(vm->timer_period));
		restart = HRTIMER_RESTART;
	}
	raw_spin_unlock_irqrestore(&vm->timer_lock, flags);
	return restart;
}

static u64 delay_until(u64 deadline)
{
	u64 now = rdtsc();
	u64 ticks = deadline > now ? deadline - now : 0;

	ticks = min_t(u64, ticks, (u64)tsc_khz * (LONGEST_DELAY_NS / NSEC_PER_MSEC));
	return mul_u64_u64_div_u64(ticks, NSEC_PER_MSEC, tsc_khz);
}

static void arm(struct vm *vm, u64 deadline, u64 period)
{
	vm->timer_period = period && deadline ? max_t(u64, period, SHORTEST_PERIOD_NS) : 0;
	vm->timer_period = min_t(u64, vm->timer_period, LONGEST_DELAY_NS);
	vm->timer_armed = deadline != 0;
	vm->timer_paused = deadline && !vm->timer_runs;
	if (deadline && vm->timer_runs) {
		hrtimer_start(&vm->timer, ns_to_ktime(delay_until(deadline)),
			      HRTIMER_MODE_REL_HARD);
		return;
	}
	hrtimer_try_to_cancel(&vm->timer);
	if (deadline)
		hrtimer_set_expires(&vm->timer, ktime_add_ns(ktime_get(), delay_until(deadline)));
}

/*
 * A vCPU gets a CPU. What would have expired meanwhile expires at once; a periodic timer keeps its phase, and
 * has lost the periods in between.
 */
void timer_resume(struct vm *vm)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->timer_lock, flags);
	vm->timer_runs = true;
	if (vm->timer_paused && !hrtimer_is_queued(&vm->timer)) {
		if (vm->timer_period)
			hrtimer_forward_now(&vm->timer, ns_to_ktime(vm->timer_period));
		hrtimer_start_expires(&vm->timer, HRTIMER_MODE_ABS_HARD);
	}
	vm->timer_paused = false;
	raw_spin_unlock_irqrestore(&vm->timer_lock, flags);
}

/* No vCPU has a CPU any more: the timer would cost the host, and serve nobody. */
void timer_pause(struct vm *vm)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->timer_lock, flags);
	vm->timer_runs = false;
	/* An expiry that cannot be cancelled any more finds that nobody waits for it. */
	if (hrtimer_try_to_cancel(&vm->timer) > 0)
		vm->timer_paused = true;
	raw_spin_unlock_irqrestore(&vm->timer_lock, flags);
}

/* The doorbell rang: does the monitor want something else of the timer? Any context. */
void timer_follow(struct vm *vm)
{
	struct apus_timer *timer = &vm->control->timer;
	unsigned long flags;
	u64 deadline, period;
	u32 sequence;

	raw_spin_lock_irqsave(&vm->timer_lock, flags);
	sequence = smp_load_acquire(&timer->sequence);
	while (sequence != vm->timer_sequence) {
		vm->timer_sequence = sequence;
		deadline = READ_ONCE(timer->deadline);
		period = READ_ONCE(timer->period_ns);
		arm(vm, deadline, period);
		sequence = smp_load_acquire(&timer->sequence);
	}
	raw_spin_unlock_irqrestore(&vm->timer_lock, flags);
}

void timer_init(struct vm *vm)
{
	raw_spin_lock_init(&vm->timer_lock);
	hrtimer_init(&vm->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	vm->timer.function = expire;
}

/* Nobody rings for this VM any more. */
void timer_stop(struct vm *vm)
{
	hrtimer_cancel(&vm->timer);
}
