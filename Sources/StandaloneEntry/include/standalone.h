/* SPDX-License-Identifier: Apache-2.0 */
/* What the standalone image's assembly and Swift share; instructions.h has the rest. */
#ifndef APUS_STANDALONE_H
#define APUS_STANDALONE_H

/* Where the image is linked and loaded; standalone.ld says the same. */
#define STANDALONE_BASE 0x200000
/* Where the lab puts the monitor and the command line under Bochs; see rom.S. */
#define ROM_MONITOR 0x3000000
#define ROM_COMMAND_LINE 0x9000

/* Offsets in the page that probe.S runs in. */
#define PROBE_APIC_BASE 0xf80
#define PROBE_DONE 0xf88

#ifndef __ASSEMBLER__
#include <stdint.h>

#define INSTRUCTION __attribute__((always_inline)) static inline
#define NAMED(name) __attribute__((swift_name(name)))

#define PORT(type, letter, bits)                                                                   \
	NAMED("readPort" #bits "(_:)") INSTRUCTION type port_read##bits(uint16_t port)                 \
	{                                                                                              \
		type value;                                                                                \
		__asm__ volatile("in" #letter " %1, %0" : "=a"(value) : "Nd"(port) : "memory");            \
		return value;                                                                              \
	}                                                                                              \
	NAMED("writePort" #bits "(_:_:)") INSTRUCTION void port_write##bits(uint16_t port, type value) \
	{                                                                                              \
		__asm__ volatile("out" #letter " %0, %1" : : "a"(value), "Nd"(port) : "memory");           \
	}
PORT(uint8_t, b, 8)
#undef PORT

NAMED("loadInterruptTable(_:limit:)") INSTRUCTION void interrupt_table_load(uint64_t base, uint16_t limit)
{
	struct { uint16_t limit; uint64_t base; } __attribute__((packed)) pointer = { limit, base };
	__asm__ volatile("lidt %0" : : "m"(pointer) : "memory");
}

/* Symbols of the assembly and of the linker script, as addresses. */
#define SYMBOL(symbol, name)                                                                       \
	extern const uint8_t symbol[];                                                                 \
	NAMED("getter:" name "()") INSTRUCTION uint64_t symbol##_address(void) { return (uint64_t)symbol; }
SYMBOL(standalone_stubs, "standaloneStubs")
SYMBOL(doorbell_rung, "doorbellRung")
SYMBOL(doorbell_count, "doorbellCount")
SYMBOL(probe, "probeStart")
SYMBOL(probe_end, "probeEnd")
SYMBOL(guests_load, "guestsLoad")
SYMBOL(guests_start, "guestsStart")
SYMBOL(guests_end, "guestsEnd")
SYMBOL(guests_table_end, "guestsTableEnd")
SYMBOL(guests_costs, "guestsCosts")
SYMBOL(guests_costs_end, "guestsCostsEnd")
SYMBOL(image_end, "imageEnd")
#undef SYMBOL

/* What QEMU's PVH loader and rom.S pass: xen/include/public/arch-x86/hvm/start_info.h. */
struct hvm_start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, command_line, rsdp, memory_map;
	uint32_t memory_map_entries, reserved;
};
struct hvm_module { uint64_t address, size, command_line, reserved; };
#endif

#endif
