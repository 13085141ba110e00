/* SPDX-License-Identifier: GPL-2.0 */
/* Running virtual machines: what their half of the driver offers. It has its CPUs from lend.h. */
#ifndef APUS_VM_H
#define APUS_VM_H

#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/signal.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "lend/lend.h"

struct ioeventfd;
struct account;
struct seq_file;
struct vcpu;

/* An immutable list of pinned pages in the form that the monitor reads. */
struct pinned {
	struct apus_extent_page *first;
	unsigned long pages;
	unsigned long charged;  /* against the owner's RLIMIT_MEMLOCK */
	unsigned long resident; /* in the owner's RSS: not of hugetlbfs */
	bool writable;          /* by the guest */
};

struct slot {
	u64 guest_address;
	u64 size;
	u64 user_address;
	u32 flags; /* KVM's */
	u32 generation;
	u32 log_sequence;
	struct mirror *mirror; /* of a device's registers; then nothing is pinned */
	struct dirty_log *log;
	struct pinned pinned;
};

struct message {
	u32 address;
	u32 data;
	bool exists;
};

struct vm {
	refcount_t users;
	struct list_head node; /* of all VMs */
	struct list_head followed_node; /* of those that have a CPU */
	unsigned int followed_vcpus;    /* that have one; under the lock of that list */
	struct mm_struct *mm;  /* only its owners may use the VM */
	struct account *account;
	pid_t process;         /* that made it */
	struct mmu_notifier owner;
	struct work_struct orphaned;
	struct apus_vm *control;
	struct mutex lock; /* creation of vCPUs and devices */
	u32 boot_id;       /* of the vCPU that starts by itself */
	u32 most_vcpu_ids; /* KVM_CAP_MAX_VCPU_ID */
	bool limits_ids;   /* the client said so */
	bool names_cpus;   /* it does, by KVM_SET_LENT_CPU */
	u32 mmu_pages;     /* KVM_SET_NR_MMU_PAGES: stored only */
	struct vcpu *vcpus[APUS_VCPUS]; /* written once, under lock */
	bool lost; /* a CPU did not come back, and may use all that was given to it */

	struct list_head ports; /* passed to the guest; under lock */
	spinlock_t irqfds_lock; /* taken with interrupts off */
	struct list_head irqfds;
	struct list_head resamplers; /* those with a resamplefd; read under RCU */
	struct work_struct apics_changed; /* where devices' interrupts depend on it */
	struct ioeventfd __rcu *ioeventfds[APUS_NOTIFICATIONS]; /* changed under lock */

	struct mutex mirror_lock; /* entries of mirrors; nothing is allocated while it is held */
	struct list_head mirrors;

	struct mutex slots_lock;
	struct slot *slots; /* APUS_SLOTS */
	u64 manual_log; /* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: under slots_lock */
	struct msr_filter *msr_filter; /* NULL: none; under slots_lock */
	u32 followed_generation; /* of the slots: the newest that a monitor has followed */
	struct list_head tables; /* struct page.lru: given to the monitor for good */
	unsigned long table_pages;
	unsigned long tables_behind; /* of slots that went, and that the monitor has not yet let go */
	unsigned long tables_charged; /* of them, against the owner's RLIMIT_MEMLOCK */

	raw_spinlock_t line_lock; /* lines, routes, who is bound; taken with interrupts off */
	u32 levels;
	struct message *messages; /* by GSI */
	unsigned int message_count;

	raw_spinlock_t timer_lock;
	struct hrtimer timer;
	u32 timer_sequence;
	u64 timer_period;
	bool timer_armed;
	bool timer_runs;   /* a vCPU has a CPU */
	bool timer_paused; /* it would be queued if it ran */
};

struct vcpu {
	struct vm *vm;
	u32 id;
	void *area;
	struct apus_vcpu *control; /* in the area */
	struct apus_trace *trace;  /* set once, by the first KVM_APUS_TRACE */

	struct mutex lock; /* ioctls, one at a time */
	bool claimed;      /* KVM_CREATE_VCPU made a file of it, or is about to; under vm->lock */
	bool closed;       /* it has no file */
	bool broken;       /* its CPU had to be taken by force */
	bool receiving;    /* KVM_RUN lets visitors have the lock */
	bool returns_soon; /* the last exit came within microseconds */
	bool masks_signals;
	sigset_t signals;  /* KVM_SET_SIGNAL_MASK */
	atomic_t visitors; /* threads that want the lock while KVM_RUN holds it */
	wait_queue_head_t visited;

	raw_spinlock_t kick_lock; /* the three below: interrupts off */
	struct lent *lent;        /* changes under both locks */
	bool reachable;           /* the monitor serves `lent`: NMIs are welcome */
	bool leaving;             /* a CPU that was `lent` is on its way back to Linux */

	atomic64_t kicks;
	atomic64_t interrupts;
	atomic_t last_cpu;
};

/* The PICs and the I/O APIC are the monitor's. */
static inline bool has_controllers(const struct vm *vm)
{
	return READ_ONCE(vm->control->irqchip) == APUS_IRQCHIP_FULL;
}

/* vms.c: all of them */
void vms_add(struct vm *vm);
void vms_remove(struct vm *vm);
unsigned int vm_count(void);
void vms_join(struct vm *vm);
void vms_leave(struct vm *vm);
void vms_follow(void);
void vms_show(struct seq_file *file, void (*show)(struct seq_file *file, const struct vm *vm));
void vm_stop(struct vm *vm);
void vm_stop_all(void);
long vms_reclaim(unsigned long cpu);

/* vm.c */
long vm_create(unsigned long type);
void vm_strip(struct vm *vm);
void vm_get(struct vm *vm);
void vm_put(struct vm *vm);

/* account.c */
enum account_kind { ACCOUNT_VMS, ACCOUNT_VCPUS, ACCOUNT_LENT_CPUS, ACCOUNT_KINDS };
struct account *account_open(void);
void account_close(struct account *account);
bool account_is_current_users(const struct account *account);
int account_charge(struct account *account, enum account_kind kind);
void account_uncharge(struct account *account, enum account_kind kind);
void accounts_free(void);
int account_await_turn(struct account *account);
int account_pin(struct vm *vm, unsigned long pages);
void account_unpin(struct vm *vm, unsigned long pages);

/* owner.c */
int owner_follow(struct vm *vm);
void owner_forget(struct vm *vm);
bool owners_are_ending(void);

/* vcpu.c */
long vcpu_create(struct vm *vm, unsigned long id);
void vcpu_free(struct vcpu *vcpu);
void vcpu_kick(struct vcpu *vcpu, u32 request);
void vcpu_send_nmi(struct vcpu *vcpu);
long vcpu_trace(struct vcpu *vcpu, unsigned long wanted);
int vcpu_bind(struct vcpu *vcpu);
int vcpu_set_lent_cpu(struct vcpu *vcpu, unsigned long cpu);
void vcpu_surrender(struct vcpu *vcpu);
void vcpu_break(struct vcpu *vcpu);
void vcpu_reset(struct vcpu *vcpu);
#define ANY_CPU ULONG_MAX
bool vcpu_has_cpu(struct vcpu *vcpu, unsigned long cpu);
bool vcpu_is_idle(struct vcpu *vcpu, u32 generation);
bool vcpu_let_go(struct vcpu *vcpu, u32 revocation);
int vcpu_visit(struct vcpu *vcpu);
void vcpu_leave(struct vcpu *vcpu);

/* forward.c */
bool forward_knows(unsigned int request);
long forward(struct vcpu *vcpu, unsigned int request, void __user *argument);
long forward_attribute(struct vcpu *vcpu, unsigned int request, u64 __user *address);
long forward_vm(struct vm *vm, unsigned int request, void __user *argument);
long forward_vm_request(struct vm *vm, unsigned int request, void *argument, size_t size);

/* run.c */
/* A guest leaves within microseconds of an NMI; this long only if something is wrong. */
#define EXIT_MS 1000
long vcpu_run(struct vcpu *vcpu);

/* slots.c */
long slots_set(struct vm *vm, struct kvm_userspace_memory_region *region);
long slots_get_log(struct vm *vm, const struct kvm_dirty_log *request);
long slots_clear_log(struct vm *vm, const struct kvm_clear_dirty_log *request);
long slots_set_manual_log(struct vm *vm, u64 wish);
int slots_set_msr_filter(struct vm *vm, struct msr_filter *filter);
int slots_allocate(struct vm *vm);
void slots_free(struct vm *vm);

/* mirror.c: slots whose pages come and go with the owner's */
struct mirror *mirror_open(struct vm *vm, const struct slot *slot);
void mirror_close(struct mirror *mirror);
void mirror_move(struct mirror *mirror, u64 guest_address);
u64 mirror_address(const struct mirror *mirror);
u32 mirror_fault(struct vcpu *vcpu);

/* directory.c */
struct apus_directory *directory_create(unsigned long pages);
void directory_free(struct apus_directory *link);
u64 *directory_place(struct apus_directory *link, unsigned long page);

/* log.c: KVM_MEM_LOG_DIRTY_PAGES */
struct dirty_log *log_create(unsigned long pages, bool all_set);
void log_free(struct dirty_log *log);
u64 log_address(const struct dirty_log *log);
void log_turn(struct dirty_log *log);
void log_collect(struct dirty_log *log);
long log_read(struct dirty_log *log, void __user *bitmap, bool clears);
long log_clear(struct dirty_log *log, const struct kvm_clear_dirty_log *request);

/* pages.c */
bool pages_are_registers(struct vm *vm, const struct slot *slot);
int pages_pin(struct vm *vm, struct slot *slot);
void pages_unpin(struct vm *vm, struct pinned *pinned);
void pages_move(struct pinned *pinned, u64 guest_frame);
unsigned long tables_needed(const struct slot *slot);
int tables_give(struct vm *vm, const struct slot *slot);
void tables_free(struct vm *vm);

/* lines.c */
void lines_reset(struct vm *vm);
int line_set(struct vm *vm, unsigned int line, bool high);
void line_hold(struct vm *vm, unsigned int line);
void line_let_go(struct vm *vm, unsigned int line);
void lines_adopt(struct vm *vm);
void lines_changed(struct vm *vm);
void lines_follow(struct vm *vm);
u64 vm_reachable(struct vm *vm);
bool vm_interrupt(struct vm *vm, u32 apic_id, u8 vector);

/* messages.c */
int message_send(struct vm *vm, const struct message *message);
enum apus_delivery message_aim(struct vm *vm, const struct message *message, u32 *vcpu,
			       u8 *vector);

/* irqfd.c */
long irqfd_change(struct vm *vm, const void __user *argument);
void irqfds_resample(struct vm *vm, u32 lines);
void irqfds_end(struct vm *vm);
int irqfd_init(void);
void irqfd_exit(void);

/* routing.c */
#define MOST_ROUTES 4096 /* as KVM's KVM_MAX_IRQ_ROUTES */
long routing_set(struct vm *vm, const struct kvm_irq_routing __user *argument);
int routing_drive(struct vm *vm, u32 gsi, bool high);
struct message routing_message(struct vm *vm, u32 gsi);

/* bypass.c: interrupts of passed-through devices */
#ifdef APUS_BYPASS
void bypasses_init(struct vm *vm);
void bypasses_stop(struct vm *vm);
void bypasses_follow(struct vm *vm);
void bypasses_look(struct vm *vm);
long bypasses_describe(struct apus_interrupts __user *argument);
#else
static inline void bypasses_init(struct vm *vm) {}
static inline void bypasses_stop(struct vm *vm) {}
static inline void bypasses_follow(struct vm *vm) {}
static inline void bypasses_look(struct vm *vm) {}
static inline long bypasses_describe(struct apus_interrupts __user *argument)
{
	return -ENOTTY;
}
#endif

/* zones.c: KVM_REGISTER_COALESCED_MMIO and its ring, in pages of a vCPU's mapping */
#define RING_MMAP_PAGE 2
long zones_change(struct vm *vm, unsigned int request, const void __user *argument);

/* ioeventfd.c */
long ioeventfd_change(struct vm *vm, const void __user *argument);
void ioeventfds_follow(struct vm *vm);
void ioeventfds_free(struct vm *vm);

/* stats.c: KVM_GET_STATS_FD */
long stats_open(struct vm *vm, const struct vcpu *vcpu);

/* debug.c */
void debug_init(void);
void debug_exit(void);

/* ports.c */
long ports_pass(struct vm *vm, const void __user *argument);
void ports_free(struct vm *vm);

/* timer.c */
void timer_init(struct vm *vm);
void timer_follow(struct vm *vm);
void timer_resume(struct vm *vm);
void timer_pause(struct vm *vm);
void timer_stop(struct vm *vm);

/* clock.c */
#define CLOCK_FLAGS (KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC)
void clock_start(struct vm *vm);
long clock_get(struct vm *vm, struct kvm_clock_data __user *argument);
long clock_set(struct vm *vm, const struct kvm_clock_data __user *argument);

/* capability.c */
int capability(unsigned long which);

/* cpuid.c */
long cpuid_supported(struct kvm_cpuid2 __user *argument);

/* msrs.c */
long msr_index_list(struct kvm_msr_list __user *argument);
long msr_feature_list(struct kvm_msr_list __user *argument);
long msr_features(struct kvm_msrs __user *argument);
long machine_check_capability(u64 __user *argument);

/* msr_filter.c: KVM_X86_SET_MSR_FILTER */
long msr_filter_set(struct vm *vm, const void __user *argument);
u64 msr_filter_address(const struct msr_filter *filter);
void msr_filter_free(struct msr_filter *filter);

/* enable.c */
#define MSR_EXITS                                                                                \
	(KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_FILTER)
#define DISABLED_QUIRKS                                                                          \
	(KVM_X86_QUIRK_LINT0_REENABLED | KVM_X86_QUIRK_CD_NW_CLEARED |                           \
	 KVM_X86_QUIRK_LAPIC_MMIO_HOLE | KVM_X86_QUIRK_OUT_7E_INC_RIP |                          \
	 KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT | KVM_X86_QUIRK_FIX_HYPERCALL_INSN |                 \
	 KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS)
/* KVM has this list for itself. */
#ifndef KVM_GUESTDBG_VALID_MASK
#define KVM_GUESTDBG_VALID_MASK                                                                  \
	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP |                \
	 KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_INJECT_BP | KVM_GUESTDBG_INJECT_DB |              \
	 KVM_GUESTDBG_BLOCKIRQ)
#endif
#define MANUAL_LOG (KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET)
#define NEVER_EXITS (KVM_X86_DISABLE_EXITS_HLT | KVM_X86_DISABLE_EXITS_PAUSE)
long vm_enable(struct vm *vm, const void __user *argument);

#endif
