/* SPDX-License-Identifier: GPL-2.0 */
/* Lending CPUs: what this half of the driver offers. It knows nothing of virtual machines. */
#ifndef APUS_LEND_H
#define APUS_LEND_H

#include <linux/atomic.h>
#include <linux/irq.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <asm/hw_irq.h>

#include "apus.h"

struct apus_space;
struct apus_image;

/*
 * A CPU that is not Linux's at the moment. Belongs to one vCPU from lent_take() to
 * lent_return().
 */
struct lent {
	struct list_head node; /* of all lent CPUs, for the doorbell */
	unsigned int cpu;
	u32 apic_id;
	void *area;
	struct apus_cpu *control; /* in the area */
	struct apus_space *space;
	const struct apus_image *image; /* as long as the module */
	bool was_reset; /* by the driver: there is no fault to report */
};

/* main.c */
struct device *apus_device(void);

/* fit.c: what of a host and of its CPUs forbids lending, or speaks against it */
void fit_init(void);
bool fit_is_bootstrap(unsigned int cpu);
bool fit_takes_for_others(unsigned int cpu);
bool fit_is_unsuitable_host(void);

/* image.c: the monitor as the firmware file holds it; EKEYREJECTED: it is another one than the driver's */
const struct apus_image *image_get(void);
void image_free(void);
size_t image_size(const struct apus_image *image);
const struct apus_image_header *image_header(const struct apus_image *image);
const void *image_at(const struct apus_image *image, u64 address, u64 size);
u64 image_entry(const struct apus_image *image);
void image_copy(const struct apus_image *image, void *target);
u64 image_page_flags(const struct apus_image *image, unsigned int page);

/* space.c: the address space of a lent CPU; zeroed pages near the CPUs of a node, or NULL */
void *pages_near(int node, gfp_t where, unsigned int order);
struct apus_space *space_create(const struct apus_image *image, void *area, int node);
void space_free(struct apus_space *space);
void space_renew(struct apus_space *space);
void space_map_low(struct apus_space *space, phys_addr_t page);
void space_unmap_low(struct apus_space *space, phys_addr_t page);
u64 space_root(const struct apus_space *space);

/* borrow.c: a page below 1 MiB for a few milliseconds */
struct borrowed {
	phys_addr_t address;
	void *page;
	void *saved;
};
int borrow(struct borrowed *borrowed);
void borrow_end(struct borrowed *borrowed);

/* start.c */
int lent_start(struct lent *lent);

/* handover.c */
int handover_init(void);
void handover_exit(void);
int lent_permit(unsigned long cpu);
struct lent *lent_take(unsigned long cpu);
struct lent *lent_take_from_pool(void);
void lent_explain(long error);
bool lent_return(struct lent *lent);

/* lend.c */
unsigned int lent_count(void);
unsigned int lending_lost(void);
void lent_set_doorbell(u64 doorbell);
int lending_stop(bool unless_lent);
void lending_resume(void);
bool lending_is_stopped(void);

/* hotplug.c */
int hotplug_init(void);
void hotplug_exit(void);
int hotplug_claim(unsigned int cpu);
int hotplug_release(unsigned int cpu);
void hotplug_release_later(unsigned int cpu);
void hotplug_abandon(unsigned int cpu);
bool hotplug_is_claimed(unsigned int cpu);

/* pool.c */
bool pool_contains(unsigned int cpu);
void pool_note_unfit(unsigned int cpu);
bool pool_is_unfit(unsigned int cpu);

/* ipi.c */
void ipi_nmi(u32 apic_id);
void ipi_fixed(u32 apic_id, u8 vector);
void ipi_init(u32 apic_id);
void ipi_startup(u32 apic_id, phys_addr_t page);

/* doorbell.c */
extern wait_queue_head_t doorbell_waiters;
int doorbell_init(void (*also)(void));
void doorbell_exit(void);
u64 doorbell_command(void);

/* steer.c: a device's interrupt that is Linux's, sent to a lent CPU */
struct steering {
	unsigned int irq;
	struct irq_data *root;      /* Linux's vector */
	struct irq_data *remapping; /* or NULL: the device's message names its CPU itself */
	bool steers;
	/* The rest while it does; under the interrupt's lock. */
	bool rewrites;
	struct irq_chip *vectors; /* the vector domain's own */
	struct irq_chip chip;     /* in its place */
	struct irq_cfg linux_target;
	struct irq_cfg target;
};
enum apus_delivery steering_begin(struct steering *steering, unsigned int irq);
enum apus_delivery steering_turn(struct steering *steering, u32 apic_id, u8 vector);
void steering_return(struct steering *steering);

/* command.c */
#define ANSWER_MS 2000
#define LAST_ANSWER_MS 1000
u32 lent_post(struct lent *lent, u32 command, u64 first, u64 second);
bool lent_done(struct lent *lent, u32 sequence);
bool lent_stopped(struct lent *lent);
bool lent_answered(struct lent *lent, u32 sequence);
void lent_wait(struct lent *lent, u32 sequence);
int lent_await(struct lent *lent, u32 sequence, unsigned int milliseconds);
long lent_command(struct lent *lent, u32 command, u64 first, u64 second);
void lent_report_fault(struct lent *lent);
void lent_reset(struct lent *lent);
unsigned int poll_interval_us(void);

/* Words that driver and monitor both change. */
static inline void shared_or(u32 *word, u32 bits)
{
	atomic_or(bits, (atomic_t *)word);
	smp_mb__after_atomic();
}

static inline void shared_clear(u32 *word, u32 bits)
{
	atomic_andnot(bits, (atomic_t *)word);
	smp_mb__after_atomic();
}

#endif
