// SPDX-License-Identifier: GPL-2.0
/* A VM: its area, its file descriptor, its lifetime. */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/tsc.h>

#include "vm.h"

/* No CPU runs the guest any more, nor will. To do this twice is to do it once. */
void vm_strip(struct vm *vm)
{
	if (vm->lost)
		return; /* see give_back() in lend.c */
	slots_free(vm);
	tables_free(vm);
	ports_free(vm);
}

static void vm_discard(struct vm *vm)
{
	kvfree(vm->slots);
	account_uncharge(vm->account, ACCOUNT_VMS);
	account_close(vm->account);
	free_pages((unsigned long)vm->control, APUS_VM_ORDER);
	mmdrop(vm->mm);
	kfree(vm);
}

static void vm_free(struct vm *vm)
{
	int id;

	owner_forget(vm);
	vms_remove(vm);
	bypasses_stop(vm);
	timer_stop(vm);
	ioeventfds_free(vm);
	vm_strip(vm);
	if (vm->lost)
		return;
	for (id = 0; id < APUS_VCPUS; id++)
		vcpu_free(vm->vcpus[id]);
	kvfree(vm->messages);
	vm_discard(vm);
}

void vm_get(struct vm *vm)
{
	refcount_inc(&vm->users);
}

void vm_put(struct vm *vm)
{
	if (refcount_dec_and_test(&vm->users))
		vm_free(vm);
}

static long create_irqchip(struct vm *vm)
{
	if (vm->control->irqchip)
		return -EEXIST;
	if (vm->control->vcpu_count)
		return -EINVAL;
	lines_reset(vm);
	WRITE_ONCE(vm->control->irqchip, APUS_IRQCHIP_FULL);
	return 0;
}

static long create_pit(struct vm *vm, u32 flags)
{
	if (flags & ~KVM_PIT_SPEAKER_DUMMY)
		return -EINVAL;
	if (!has_controllers(vm))
		return -ENXIO;
	if (vm->control->pit)
		return -EEXIST;
	WRITE_ONCE(vm->control->pit, 1);
	return 0;
}

static long create_device(struct vm *vm, unsigned int request, void __user *argument)
{
	struct kvm_pit_config pit = {};
	long result;

	if (request == KVM_CREATE_PIT2 && copy_from_user(&pit, argument, sizeof(pit)))
		return -EFAULT;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	if (request == KVM_CREATE_IRQCHIP)
		result = create_irqchip(vm);
	else
		result = create_pit(vm, pit.flags);
	mutex_unlock(&vm->lock);
	return result;
}

static long set_memory(struct vm *vm, const void __user *argument)
{
	struct kvm_userspace_memory_region region;

	if (copy_from_user(&region, argument, sizeof(region)))
		return -EFAULT;
	return slots_set(vm, &region);
}

static long get_log(struct vm *vm, const void __user *argument)
{
	struct kvm_dirty_log request;

	return copy_from_user(&request, argument, sizeof(request)) ? -EFAULT :
		       slots_get_log(vm, &request);
}

static long clear_log(struct vm *vm, const void __user *argument)
{
	struct kvm_clear_dirty_log request;

	return copy_from_user(&request, argument, sizeof(request)) ? -EFAULT :
		       slots_clear_log(vm, &request);
}

static long irq_line(struct vm *vm, unsigned int request, void __user *argument)
{
	struct kvm_irq_level level;
	int status;

	if (copy_from_user(&level, argument, sizeof(level)))
		return -EFAULT;
	status = routing_drive(vm, level.irq, level.level);
	if (status < 0)
		return status;
	level.status = status;
	if (request == KVM_IRQ_LINE_STATUS && copy_to_user(argument, &level, sizeof(level)))
		return -EFAULT;
	return 0;
}

static long signal_msi(struct vm *vm, const void __user *argument)
{
	struct message message;
	struct kvm_msi msi;

	if (copy_from_user(&msi, argument, sizeof(msi)))
		return -EFAULT;
	if (!vm->control->irqchip)
		return -ENXIO;
	if (msi.flags)
		return -EINVAL;
	message = (struct message){ .address = msi.address_lo, .data = msi.data };
	return message_send(vm, &message);
}

static long set_identity_map(struct vm *vm, const void __user *argument)
{
	u64 address;

	if (copy_from_user(&address, argument, sizeof(address)))
		return -EFAULT;
	return vm->control->vcpu_count ? -EINVAL : 0;
}

static long set_boot_id(struct vm *vm, unsigned long id)
{
	long result;

	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	result = vm->control->vcpu_count ? -EBUSY : 0;
	if (!result)
		vm->boot_id = id;
	mutex_unlock(&vm->lock);
	return result;
}

/* As KVM's; there is no shadow page here that it could limit. */
#define FEWEST_MMU_PAGES 64

static long set_mmu_pages(struct vm *vm, unsigned long pages)
{
	if (pages < FEWEST_MMU_PAGES)
		return -EINVAL;
	WRITE_ONCE(vm->mmu_pages, pages);
	return 0;
}

static long vm_ioctl(struct file *file, unsigned int request, unsigned long value)
{
	struct vm *vm = file->private_data;
	void __user *argument = (void __user *)value;

	if (vm->mm != current->mm)
		return -EIO;
	switch (request) {
	case KVM_CHECK_EXTENSION:
		return capability(value);
	case KVM_CREATE_VCPU:
		return vcpu_create(vm, value);
	case KVM_SET_USER_MEMORY_REGION:
		return set_memory(vm, argument);
	case KVM_GET_DIRTY_LOG:
		return get_log(vm, argument);
	case KVM_CLEAR_DIRTY_LOG:
		return clear_log(vm, argument);
	case KVM_SET_TSS_ADDR:
		/* For processors without unrestricted guests: nothing to do here. */
		return value > U32_MAX - 3 * PAGE_SIZE ? -EINVAL : 0;
	case KVM_SET_IDENTITY_MAP_ADDR:
		return set_identity_map(vm, argument);
	case KVM_ENABLE_CAP:
		return vm_enable(vm, argument);
	case KVM_SET_BOOT_CPU_ID:
		return set_boot_id(vm, value);
	case KVM_SET_NR_MMU_PAGES:
		return set_mmu_pages(vm, value);
	case KVM_GET_NR_MMU_PAGES:
		return READ_ONCE(vm->mmu_pages);
	case KVM_CREATE_IRQCHIP:
	case KVM_CREATE_PIT:
	case KVM_CREATE_PIT2:
		return create_device(vm, request, argument);
	case KVM_IRQ_LINE:
	case KVM_IRQ_LINE_STATUS:
		return irq_line(vm, request, argument);
	case KVM_X86_SET_MSR_FILTER:
		return msr_filter_set(vm, argument);
	case KVM_SET_GSI_ROUTING:
		return routing_set(vm, argument);
	case KVM_SIGNAL_MSI:
		return signal_msi(vm, argument);
	case KVM_GET_IRQCHIP:
	case KVM_SET_IRQCHIP:
	case KVM_GET_PIT2:
	case KVM_SET_PIT2:
		return forward_vm(vm, request, argument);
	case KVM_REGISTER_COALESCED_MMIO:
	case KVM_UNREGISTER_COALESCED_MMIO:
		return zones_change(vm, request, argument);
	case KVM_IRQFD:
		return irqfd_change(vm, argument);
	case KVM_IOEVENTFD:
		return ioeventfd_change(vm, argument);
	case KVM_APUS_PASS_PORTS:
		return ports_pass(vm, argument);
	case KVM_GET_STATS_FD:
		return stats_open(vm, NULL);
	case KVM_GET_CLOCK:
		return clock_get(vm, argument);
	case KVM_SET_CLOCK:
		return clock_set(vm, argument);
	case KVM_GET_TSC_KHZ:
		return tsc_khz;
	default:
		return -ENOTTY;
	}
}

static int vm_release(struct inode *inode, struct file *file)
{
	irqfds_end(file->private_data);
	vm_put(file->private_data);
	return 0;
}

static const struct file_operations vm_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vm_ioctl,
	.release = vm_release,
	.llseek = noop_llseek,
};

static struct vm *vm_allocate(struct account *account)
{
	struct vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	BUILD_BUG_ON(sizeof(struct apus_vm) > 2 * APUS_PAGE_SIZE);
	if (!vm)
		return NULL;
	vm->control = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, APUS_VM_ORDER);
	if (!vm->control || slots_allocate(vm)) {
		free_pages((unsigned long)vm->control, APUS_VM_ORDER);
		kfree(vm);
		return NULL;
	}
	refcount_set(&vm->users, 1);
	vm->account = account;
	vm->mm = current->mm;
	mmgrab(vm->mm);
	vm->process = task_tgid_nr(current);
	mutex_init(&vm->lock);
	mutex_init(&vm->slots_lock);
	mutex_init(&vm->mirror_lock);
	INIT_LIST_HEAD(&vm->mirrors);
	vm->most_vcpu_ids = APUS_VCPUS;
	INIT_LIST_HEAD(&vm->tables);
	INIT_LIST_HEAD(&vm->ports);
	raw_spin_lock_init(&vm->line_lock);
	spin_lock_init(&vm->irqfds_lock);
	INIT_LIST_HEAD(&vm->irqfds);
	INIT_LIST_HEAD(&vm->resamplers);
	vm->control->area = __pa(vm->control);
	memset(vm->control->apic_ids, 0xff, sizeof(vm->control->apic_ids));
	memset(vm->control->line_pins, APUS_NO_PIN, sizeof(vm->control->line_pins));
	clock_start(vm);
	timer_init(vm);
	bypasses_init(vm);
	return vm;
}

/* Charged to the caller's account, to which vm_discard() credits it again. */
static struct vm *vm_charge(void)
{
	struct account *account = account_open();
	struct vm *vm;
	int error;

	if (IS_ERR(account))
		return ERR_CAST(account);
	error = account_charge(account, ACCOUNT_VMS);
	if (error)
		goto close;
	vm = vm_allocate(account);
	if (vm)
		return vm;
	error = -ENOMEM;
	account_uncharge(account, ACCOUNT_VMS);
close:
	account_close(account);
	return ERR_PTR(error);
}

static struct vm *vm_start(void)
{
	struct vm *vm = vm_charge();
	int error;

	if (IS_ERR(vm))
		return vm;
	error = owner_follow(vm);
	if (error) {
		vm_discard(vm);
		return ERR_PTR(error);
	}
	vms_add(vm);
	return vm;
}

/* KVM_CREATE_VM: a file descriptor. */
long vm_create(unsigned long type)
{
	const struct apus_image *image;
	struct vm *vm;
	int descriptor;

	if (type)
		return -EINVAL;
	if (!tsc_khz)
		return -EOPNOTSUPP; /* clocks and timers count by it */
	image = image_get();
	if (IS_ERR(image))
		return PTR_ERR(image);
	vm = vm_start();
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	descriptor = anon_inode_getfd("apus-vm", &vm_operations, vm, O_RDWR | O_CLOEXEC);
	if (descriptor < 0)
		vm_put(vm);
	return descriptor;
}
