// SPDX-License-Identifier: GPL-2.0
/* The CPUs that the administrator named for clients which do not ask for one. */
#include <linux/cpumask.h>
#include <linux/moduleparam.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "lend.h"

static struct cpumask pool;
static struct cpumask unfit; /* of them: the monitor refused to run there */

static int pool_set(const char *value, const struct kernel_param *parameter)
{
	struct cpumask *wanted = kzalloc(sizeof(*wanted), GFP_KERNEL);
	int error;

	if (!wanted)
		return -ENOMEM;
	error = cpulist_parse(value, wanted);
	if (!error && cpumask_test_cpu(0, wanted))
		error = -EINVAL; /* Linux keeps CPU 0 */
	if (!error) {
		cpumask_copy(&pool, wanted);
		cpumask_clear(&unfit); /* who names them again wants them tried again */
	}
	kfree(wanted);
	return error;
}

static int pool_get(char *buffer, const struct kernel_param *parameter)
{
	return sysfs_emit(buffer, "%*pbl\n", cpumask_pr_args(&pool));
}

static const struct kernel_param_ops pool_operations = {
	.set = pool_set,
	.get = pool_get,
};
module_param_cb(pool, &pool_operations, NULL, 0644);
MODULE_PARM_DESC(pool, "list of CPUs for clients that do not ask for one, such as 2-3");

/* cpumask_test_cpu() reads whatever lies behind the mask for a number beyond it. */
bool pool_contains(unsigned int cpu)
{
	return cpu < nr_cpu_ids && cpumask_test_cpu(array_index_nospec(cpu, nr_cpu_ids), &pool);
}

/* Each attempt takes the CPU offline and back: one is enough until the pool is set anew. */
void pool_note_unfit(unsigned int cpu)
{
	cpumask_set_cpu(cpu, &unfit);
}

bool pool_is_unfit(unsigned int cpu)
{
	return cpumask_test_cpu(cpu, &unfit);
}
