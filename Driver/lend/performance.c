// SPDX-License-Identifier: GPL-2.0
/*
 * Linux asks for a CPU's lowest performance when it takes it offline, or leaves what an idle governor chose, and
 * asks for what it wants when the CPU is back. In between the monitor asks for what is chosen here.
 */
#include <linux/bits.h>

#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "handover.h"

#define CPPC_ENABLED BIT(0)

/* IA32_HWP_REQUEST as Linux has it: SDM vol. 3, 15.4.4. Reading it fails where HWP is off. */
static bool hwp(unsigned int cpu, u64 *value)
{
	return boot_cpu_has(X86_FEATURE_HWP) &&
	       !rdmsrl_safe_on_cpu(cpu, MSR_HWP_REQUEST, value);
}

/* From the nominal performance to the highest, the processor's to choose: AMD's PPR, MSRC001_02B3. */
static bool cppc(unsigned int cpu, u64 *value)
{
	u64 enable, capabilities;

	if (!boot_cpu_has(X86_FEATURE_CPPC) ||
	    rdmsrl_safe_on_cpu(cpu, MSR_AMD_CPPC_ENABLE, &enable) || !(enable & CPPC_ENABLED) ||
	    rdmsrl_safe_on_cpu(cpu, MSR_AMD_CPPC_CAP1, &capabilities))
		return false;
	*value = (capabilities >> 24 & 0xff) | (capabilities >> 16 & 0xff) << 8;
	return true;
}

/* IA32_PERF_CTL, the ratio of one busy core: SDM vol. 3, 15.1; vol. 4, MSRs 1ADH and CEH. */
static bool ratio(unsigned int cpu, u64 *value)
{
	u64 limits, platform;

	if (boot_cpu_data.x86_vendor != X86_VENDOR_INTEL || !boot_cpu_has(X86_FEATURE_EST))
		return false;
	if (!rdmsrl_safe_on_cpu(cpu, MSR_TURBO_RATIO_LIMIT, &limits) && limits & 0xff)
		*value = (limits & 0xff) << 8;
	else if (!rdmsrl_safe_on_cpu(cpu, MSR_PLATFORM_INFO, &platform) && platform >> 8 & 0xff)
		*value = platform & 0xff00;
	else
		return false;
	return true;
}

/* P-state 0, the fastest: APM vol. 2, 17.1. */
static bool p_state(u64 *value)
{
	*value = 0;
	return boot_cpu_data.x86_vendor == X86_VENDOR_AMD && boot_cpu_has(X86_FEATURE_HW_PSTATE);
}

/* While the CPU is online. */
void performance_choose(unsigned int cpu, struct apus_cpu *control)
{
	u64 value = 0;

	if (hwp(cpu, &value))
		control->performance_msr = MSR_HWP_REQUEST;
	else if (cppc(cpu, &value))
		control->performance_msr = MSR_AMD_CPPC_REQ;
	else if (ratio(cpu, &value))
		control->performance_msr = MSR_IA32_PERF_CTL;
	else if (p_state(&value))
		control->performance_msr = MSR_AMD_PERF_CTL;
	control->performance = value;
}
