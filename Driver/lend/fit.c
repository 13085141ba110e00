// SPDX-License-Identifier: GPL-2.0
/* What of a host, or of one of its CPUs, forbids that the CPU is lent. */
#include <linux/cc_platform.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/printk.h>

#include <asm/apic.h>
#include <asm/msr.h>
#include <asm/smp.h>

#include "compat.h"
#include "handover.h"

/*
 * INIT starts the firmware on this CPU: SDM vol. 3, 9.4.2. It need not be Linux's CPU 0: a kernel started by
 * kexec boots on whichever CPU asked for it.
 */
static bool is_bootstrap(unsigned int cpu)
{
	u64 base;

	return !rdmsrl_safe_on_cpu(cpu, MSR_IA32_APICBASE, &base) &&
	       base & MSR_IA32_APICBASE_BSP;
}

/* As it was when the driver came: who only asks disturbs no CPU. */
static struct cpumask bootstrap;

bool fit_is_bootstrap(unsigned int cpu)
{
	return cpumask_test_cpu(cpu, &bootstrap);
}

void fit_init(void)
{
	unsigned int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		if (is_bootstrap(cpu))
			cpumask_set_cpu(cpu, &bootstrap);
	cpus_read_unlock();
}

/*
 * In logical flat mode Linux means its CPU n by bit n of a destination. A lent CPU is in x2APIC mode and
 * answers to the bit of its APIC ID, which may be that of another CPU.
 */
bool fit_takes_for_others(unsigned int cpu)
{
	u32 id = per_cpu(x86_cpu_to_apicid, cpu);

	return apus_is_logical_flat() && id != cpu && id < 8 && id < nr_cpu_ids && cpu_possible(id);
}

/* NULL: nothing. */
static const char *unsuitable_host(void)
{
	/* The monitor's page tables know nothing of encrypted memory. */
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT))
		return "its memory is encrypted (SME, SEV or TDX): boot with mem_encrypt=off";
	if (apus_is_snp_host())
		return "it is prepared for SEV-SNP guests, and VMRUN checks pages against its RMP: switch SEV-SNP off in the firmware's setup";
	if (apus_is_tdx_host())
		return "it is prepared for TDX guests, whose module wants VMX on every CPU: switch TDX off in the firmware's setup";
	/* A paravirtualised kernel of Xen has no CPU of its own to give. */
	if (cpu_feature_enabled(X86_FEATURE_XENPV))
		return "it is a paravirtualised guest of Xen";
	return NULL;
}

bool fit_is_unsuitable_host(void)
{
	return unsuitable_host();
}

static int check_host(void)
{
	const char *reason = unsuitable_host();

	if (!reason)
		return 0;
	pr_err_ratelimited("this host lends no CPU: %s\n", reason);
	return -EOPNOTSUPP;
}

static int check_cpu(unsigned int cpu)
{
	if (!cpu_possible(cpu))
		return -ENODEV;
	if (hotplug_is_claimed(cpu))
		return -EBUSY;
	if (cpu == 0)
		return -EINVAL;
	if (!cpu_online(cpu))
		return -ENODEV;
	if (num_online_cpus() == 1)
		return -EINVAL;
	if (is_bootstrap(cpu)) {
		pr_err_ratelimited("CPU %u is the bootstrap processor, on which firmware starts when it is reset: name another one\n",
				   cpu);
		return -EINVAL;
	}
	return 0;
}

/* Everything that can be refused before Linux loses a CPU. */
int fit_check(unsigned int cpu)
{
	int error = check_cpu(cpu);

	if (!error)
		error = check_host();
	if (!error && fit_takes_for_others(cpu))
		pr_warn_ratelimited("CPU %u has APIC ID %u and may take interrupts that Linux sends to CPU %u by logical flat mode: have Linux use x2APIC (VT-d or AMD-Vi with interrupt remapping, in the firmware's setup)\n",
				    cpu, per_cpu(x86_cpu_to_apicid, cpu),
				    per_cpu(x86_cpu_to_apicid, cpu));
	return error;
}
