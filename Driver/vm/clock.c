// SPDX-License-Identifier: GPL-2.0
/* The guest's clock: nanoseconds as a linear function of the TSC, which is the host's own. */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include <asm/msr.h>
#include <asm/tsc.h>

#include "vm.h"

void clock_start(struct vm *vm)
{
	struct timespec64 wall;

	vm->control->tsc_khz = tsc_khz;
	vm->control->clock_tsc = rdtsc();
	ktime_get_real_ts64(&wall);
	vm->control->wall_seconds = wall.tv_sec;
	vm->control->wall_nanoseconds = wall.tv_nsec;
}

long clock_get(struct vm *vm, struct kvm_clock_data __user *argument)
{
	struct kvm_clock_data data = { .flags = CLOCK_FLAGS };
	u64 start = READ_ONCE(vm->control->clock_tsc);
	u64 now = rdtsc_ordered();
	/* A clock that another thread sets meanwhile may begin later than now. */
	u64 ticks = max_t(s64, now - start, 0);

	data.clock = mul_u64_u64_div_u64(ticks, NSEC_PER_MSEC, tsc_khz);
	data.realtime = ktime_get_real_ns();
	data.host_tsc = now;
	return copy_to_user(argument, &data, sizeof(data)) ? -EFAULT : 0;
}

/* The time of day at which the guest's clock read 0. */
static void set_wall(struct vm *vm, u64 clock)
{
	u64 wall = ktime_get_real_ns() - clock;
	u32 nanoseconds;

	WRITE_ONCE(vm->control->wall_seconds,
		   div_u64_rem(wall, NSEC_PER_SEC, &nanoseconds));
	WRITE_ONCE(vm->control->wall_nanoseconds, nanoseconds);
}

long clock_set(struct vm *vm, const struct kvm_clock_data __user *argument)
{
	struct kvm_clock_data data;
	unsigned int id;

	if (copy_from_user(&data, argument, sizeof(data)))
		return -EFAULT;
	if (data.flags & ~CLOCK_FLAGS)
		return -EINVAL;
	/* The time that passed since the clock was read there passes here too. */
	if (data.flags & KVM_CLOCK_REALTIME)
		data.clock += max_t(s64, ktime_get_real_ns() - data.realtime, 0);
	/* The quotients of both directions have to fit 64 bits: decades. */
	if (data.clock > S64_MAX / (tsc_khz / NSEC_PER_MSEC + 1))
		return -EINVAL;
	set_wall(vm, data.clock);
	WRITE_ONCE(vm->control->clock_tsc,
		   rdtsc() - mul_u64_u64_div_u64(data.clock, tsc_khz, NSEC_PER_MSEC));
	/* Each vCPU has told its guest how the clock runs, and tells it anew before it goes on. */
	for (id = 0; id < APUS_VCPUS; id++) {
		struct vcpu *vcpu = smp_load_acquire(&vm->vcpus[id]);

		if (vcpu)
			vcpu_kick(vcpu, APUS_REQUEST_CLOCK);
	}
	return 0;
}
