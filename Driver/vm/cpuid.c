// SPDX-License-Identifier: GPL-2.0
/* What a guest may be told about its processor: the image's rules, applied to this one. */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/processor.h>

#include "vm.h"

#define RANGE 0xffff0000u
#define SOFTWARE_FIRST 0x40000000u
#define SOFTWARE_LAST 0x4fffffffu

static bool is_software(u32 function)
{
	return function >= SOFTWARE_FIRST && function <= SOFTWARE_LAST;
}

/* Functions above the highest of their range answer with something else's data. */
static bool host_has(u32 function)
{
	return is_software(function) || function <= cpuid_eax(function & RANGE);
}

static void apply(const struct apus_cpuid_rule *rule, struct kvm_cpuid_entry2 *entry)
{
	u32 value[4] = {};

	if (!is_software(rule->function))
		cpuid_count(rule->function, rule->index, &value[0], &value[1], &value[2],
			    &value[3]);
	entry->function = rule->function;
	entry->index = rule->index;
	entry->flags = rule->flags;
	entry->eax = (value[0] & rule->mask[0]) | rule->set[0];
	entry->ebx = (value[1] & rule->mask[1]) | rule->set[1];
	entry->ecx = (value[2] & rule->mask[2]) | rule->set[2];
	entry->edx = (value[3] & rule->mask[3]) | rule->set[3];
}

static u32 apply_all(const struct apus_image *image, struct kvm_cpuid_entry2 *entries)
{
	const struct apus_image_header *header = image_header(image);
	const struct apus_cpuid_rule *rules =
		image_at(image, header->cpuid_rules, header->cpuid_rule_count * sizeof(*rules));
	u32 count = 0;
	u64 index;

	for (index = 0; index < header->cpuid_rule_count; index++)
		if (host_has(rules[index].function))
			apply(&rules[index], &entries[count++]);
	return count;
}

static long answer(struct kvm_cpuid2 __user *argument, u32 room,
		   const struct kvm_cpuid_entry2 *entries, u32 count)
{
	if (room < count)
		return -E2BIG;
	if (put_user(count, &argument->nent))
		return -EFAULT;
	if (copy_to_user(argument->entries, entries, count * sizeof(*entries)))
		return -EFAULT;
	return 0;
}

/* KVM_GET_SUPPORTED_CPUID */
long cpuid_supported(struct kvm_cpuid2 __user *argument)
{
	const struct apus_image *image;
	struct kvm_cpuid_entry2 *entries;
	u32 room;
	long result;

	if (get_user(room, &argument->nent))
		return -EFAULT;
	image = image_get();
	if (IS_ERR(image))
		return PTR_ERR(image);
	entries = kvcalloc(image_header(image)->cpuid_rule_count + 1, sizeof(*entries),
			   GFP_KERNEL);
	if (!entries)
		return -ENOMEM;
	result = answer(argument, room, entries, apply_all(image, entries));
	kvfree(entries);
	return result;
}
