// SPDX-License-Identifier: GPL-2.0
/* MSRs that need no VM: the lists, and what describes this processor. All of it is the image's. */
#include <linux/err.h>
#include <linux/uaccess.h>

#include <asm/msr.h>

#include "vm.h"

#define MOST_MSRS 256 /* of one KVM_GET_MSRS, as KVM's */

static long answer_list(struct kvm_msr_list __user *argument, u32 count, const u32 *first,
			size_t stride)
{
	u32 room, index;

	if (get_user(room, &argument->nmsrs))
		return -EFAULT;
	if (put_user(count, &argument->nmsrs))
		return -EFAULT;
	if (room < count)
		return -E2BIG;
	for (index = 0; index < count; index++)
		if (put_user(*(const u32 *)((const void *)first + index * stride),
			     &argument->indices[index]))
			return -EFAULT;
	return 0;
}

/* KVM_GET_MSR_INDEX_LIST */
long msr_index_list(struct kvm_msr_list __user *argument)
{
	const struct apus_image *image = image_get();
	const struct apus_image_header *header;

	if (IS_ERR(image))
		return PTR_ERR(image);
	header = image_header(image);
	return answer_list(argument, header->msr_count,
			   image_at(image, header->msrs, header->msr_count * sizeof(u32)),
			   sizeof(u32));
}

static const struct apus_feature_msr *features_of(const struct apus_image *image, u32 *count)
{
	const struct apus_image_header *header = image_header(image);

	*count = header->feature_msr_count;
	return image_at(image, header->feature_msrs,
			*count * sizeof(struct apus_feature_msr));
}

/* KVM_GET_MSR_FEATURE_INDEX_LIST */
long msr_feature_list(struct kvm_msr_list __user *argument)
{
	const struct apus_image *image = image_get();
	const struct apus_feature_msr *features;
	u32 count;

	if (IS_ERR(image))
		return PTR_ERR(image);
	features = features_of(image, &count);
	return answer_list(argument, count, &features->index, sizeof(*features));
}

/* False: there is no such feature. */
static bool read_feature(const struct apus_image *image, struct kvm_msr_entry *entry)
{
	const struct apus_feature_msr *features;
	u32 count, index;
	u64 value = 0;

	features = features_of(image, &count);
	for (index = 0; index < count; index++) {
		if (features[index].index != entry->index)
			continue;
		if (features[index].mask)
			rdmsrl_safe(entry->index, &value);
		entry->data = (value & features[index].mask) | features[index].set;
		return true;
	}
	return false;
}

/* KVM_GET_MSRS of the device: how many were read before the first that is none of these. */
long msr_features(struct kvm_msrs __user *argument)
{
	const struct apus_image *image = image_get();
	struct kvm_msr_entry entry;
	u32 count, index;

	if (IS_ERR(image))
		return PTR_ERR(image);
	if (get_user(count, &argument->nmsrs))
		return -EFAULT;
	if (count >= MOST_MSRS)
		return -E2BIG;
	for (index = 0; index < count; index++) {
		if (copy_from_user(&entry, &argument->entries[index], sizeof(entry)))
			return -EFAULT;
		if (!read_feature(image, &entry))
			break;
		if (copy_to_user(&argument->entries[index], &entry, sizeof(entry)))
			return -EFAULT;
	}
	return index;
}

/* KVM_X86_GET_MCE_CAP_SUPPORTED */
long machine_check_capability(u64 __user *argument)
{
	const struct apus_image *image = image_get();
	u64 capability;

	if (IS_ERR(image))
		return PTR_ERR(image);
	capability = image_header(image)->machine_check_capability;
	return copy_to_user(argument, &capability, sizeof(capability)) ? -EFAULT : 0;
}
