// SPDX-License-Identifier: GPL-2.0
/* Interrupts to a CPU that Linux does not count as its own. */
#include <linux/irqflags.h>

#include <asm/apic.h>
#include <asm/barrier.h>

#include "lend.h"

static void send(u32 apic_id, u32 command)
{
	unsigned long flags;

	/* Stores must be visible first: writing x2APIC's ICR orders nothing. */
	asm volatile("mfence; lfence" : : : "memory");
	local_irq_save(flags);
	/* xAPIC: two registers, and one interrupt at a time. */
	if (apic->safe_wait_icr_idle)
		apic->safe_wait_icr_idle();
	apic->icr_write(command | APIC_DEST_PHYSICAL, apic_id);
	local_irq_restore(flags);
}

void ipi_nmi(u32 apic_id)
{
	send(apic_id, APIC_DM_NMI);
}

void ipi_fixed(u32 apic_id, u8 vector)
{
	send(apic_id, APIC_DM_FIXED | vector);
}

/* The CPU is reset and waits for ipi_startup(). */
void ipi_init(u32 apic_id)
{
	send(apic_id, APIC_INT_LEVELTRIG | APIC_INT_ASSERT | APIC_DM_INIT);
	send(apic_id, APIC_INT_LEVELTRIG | APIC_DM_INIT);
}

void ipi_startup(u32 apic_id, phys_addr_t page)
{
	send(apic_id, APIC_DM_STARTUP | (u32)(page >> PAGE_SHIFT));
}
