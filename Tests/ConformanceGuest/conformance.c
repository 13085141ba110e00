// SPDX-License-Identifier: Apache-2.0
/*
 * What a guest sees of its processor and of its interrupt controllers, against the manuals. One line
 * for each check on the first serial port, `check NAME ok` or `check NAME FAILED got X expected Y`,
 * and `checks done` at the end. For QEMU with -device pc-testdev (memory behind MMIO, and interrupt
 * lines that the guest drives) and -device isa-debug-exit,iobase=0xf4,iosize=0x4.
 */
#include <stdbool.h>
#include <stdint.h>

#include "guest.h"

#define SERIAL 0x3f8
#define SCRATCH (SERIAL + 7)
#define DEBUG_EXIT 0xf4
#define START_INFO_COMMAND_LINE 3 /* the address, as the number of a 64-bit word */
/* pc-testdev: memory behind MMIO, and a port for each interrupt line from this one on. */
#define DEVICE_MEMORY 0xff000000
#define INTERRUPT_LINE 0x2000

#define XAPIC 0xfee00000
#define IOAPIC 0xfec00000
#define APIC_BASE 0x1b
#define APIC_GLOBALLY_ENABLED 0x800
#define EOI 0xb0
#define LDR 0xd0
#define DFR 0xe0
#define SVR 0xf0
#define TMR 0x180
#define IRR 0x200
#define ESR 0x280
#define ICR 0x300
#define ICR_HIGH 0x310
#define LVT_TIMER 0x320
#define LVT_LINT0 0x350
#define INITIAL_COUNT 0x380
#define CURRENT_COUNT 0x390
#define DIVIDE 0x3e0
#define MASKED 0x10000
#define PERIODIC 0x20000
#define LOGICAL 0x800
#define LOWEST_PRIORITY 0x100
#define SEND_NMI 0x400
#define ICR_ASSERT 0x4000
#define TO_ITSELF 0x40000
#define TO_ALL 0x80000
#define EXTINT 0x700
#define LEVEL 0x8000
#define REMOTE_IRR 0x4000

#define PIN 10 /* of the I/O APIC, which pc-testdev drives and nothing else does */
#define VECTOR 0x60
#define EDGE_VECTOR 0x61
#define TIMER_VECTOR 0x70
#define PIC_VECTOR 0x38
#define ILLEGAL_VECTOR 3
#define GENERAL_PROTECTION 13
#define TRAP_FLAG 0x100
#define RESUME_FLAG 0x10000

struct frame {
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

struct state {
	uint64_t rax, rbx, rcx, rdx, rflags;
	uint8_t xmm0[16];
};

struct operation {
	const char *name;
	uint64_t flags;
	void *code;
};

extern const struct operation operations[], operations_end[];
extern uint64_t window[512];
void run_operation(struct state *state, void *memory, void *code);
void run(const char *const *start_info);
void interrupted(struct frame *frame);

// MARK: The machine

static void out8(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void out32(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;
	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static uint32_t read32(uint64_t address)
{
	uint32_t value;
	asm volatile("movl (%1), %0" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static void write32(uint64_t address, uint32_t value)
{
	asm volatile("movl %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

static uint32_t apic(uint32_t offset)
{
	return read32(XAPIC + offset);
}

static void set_apic(uint32_t offset, uint32_t value)
{
	write32(XAPIC + offset, value);
}

static uint32_t ioapic(uint32_t number)
{
	write32(IOAPIC, number);
	return read32(IOAPIC + 0x10);
}

static void set_ioapic(uint32_t number, uint32_t value)
{
	write32(IOAPIC, number);
	write32(IOAPIC + 0x10, value);
}

static uint64_t tsc(void)
{
	uint32_t low, high;
	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t answer[4])
{
	asm volatile("cpuid"
		     : "=a"(answer[0]), "=b"(answer[1]), "=c"(answer[2]), "=d"(answer[3])
		     : "a"(leaf), "c"(subleaf));
}

/* Long enough for an interrupt that another thread of the client raises. */
static void wait(void)
{
	for (int i = 0; i < 20; i++)
		in8(SCRATCH);
	asm volatile("sti; nop" : : : "memory");
	for (uint64_t end = tsc() + 20000000; tsc() < end;)
		asm volatile("pause");
	asm volatile("cli" : : : "memory");
}

// MARK: Saying

static void say(const char *text)
{
	for (; *text; text++)
		out8(SERIAL, *text);
}

static void say_number(uint64_t value)
{
	say(" 0x");
	bool begun = false;
	for (int shift = 60; shift >= 0; shift -= 4) {
		unsigned digit = value >> shift & 15;
		begun |= digit || !shift;
		if (begun)
			out8(SERIAL, "0123456789abcdef"[digit]);
	}
}

/* `suffix` is a number in the name, or nothing if negative. */
static void check_one(const char *name, int64_t suffix, uint64_t got, uint64_t expected)
{
	say("check ");
	for (; *name; name++)
		out8(SERIAL, *name == ' ' ? '_' : *name);
	if (suffix >= 0) {
		out8(SERIAL, '-');
		for (int shift = suffix > 0xffff ? 28 : 12; shift >= 0; shift -= 4)
			out8(SERIAL, "0123456789abcdef"[suffix >> shift & 15]);
	}
	if (got == expected) {
		say(" ok\n");
		return;
	}
	say(" FAILED got");
	say_number(got);
	say(" expected");
	say_number(expected);
	say("\n");
}

static void check(const char *name, uint64_t got, uint64_t expected)
{
	check_one(name, -1, got, expected);
}

// MARK: Exceptions and interrupts

static volatile uint32_t counts[256];
static volatile struct frame last;
/* Where a fault goes on, and where the first of several #DB came. */
static volatile uint64_t resume, first_debug;
/* What is done in the handler of an interrupt. */
static void (*volatile serve)(uint64_t vector);
static volatile uint32_t nmi_depth, deepest_nmi, nmis_to_send;

static void send_nmi(void)
{
	set_apic(ICR_HIGH, apic(0x20));
	set_apic(ICR, SEND_NMI | ICR_ASSERT);
}

void interrupted(struct frame *frame)
{
	counts[frame->vector]++;
	last = *frame;
	switch (frame->vector) {
	case 1:
		if (!first_debug)
			first_debug = frame->rip;
		frame->rflags &= ~(uint64_t)TRAP_FLAG;
		return;
	case 2:
		nmi_depth++;
		if (nmi_depth > deepest_nmi)
			deepest_nmi = nmi_depth;
		for (; nmis_to_send; nmis_to_send--)
			send_nmi();
		for (int i = 0; i < 100; i++)
			in8(SCRATCH);
		nmi_depth--;
		return;
	case ILLEGAL_VECTOR:
		return;
	}
	if (frame->vector < 32) {
		if (!resume) {
			check_one("no unexpected exception", frame->vector, frame->rip, 0);
			out32(DEBUG_EXIT, 1);
		}
		frame->rip = resume;
		return;
	}
	if (serve)
		serve(frame->vector);
	if (frame->vector == PIC_VECTOR + 2)
		out8(0x20, 0x20);
	else
		set_apic(EOI, 0);
}

/* Each gives the vector of the fault that it made, or 0. */
static uint64_t fault_of_rdmsr(uint32_t number, uint64_t *value)
{
	uint32_t low = 0, high = 0;
	last.vector = 0;
	asm volatile("movq $1f, %0; rdmsr; 1:"
		     : "=m"(resume), "+a"(low), "+d"(high)
		     : "c"(number)
		     : "memory");
	resume = 0;
	*value = (uint64_t)high << 32 | low;
	return last.vector;
}

static uint64_t fault_of_wrmsr(uint32_t number, uint64_t value)
{
	last.vector = 0;
	asm volatile("movq $1f, %0; wrmsr; 1:"
		     : "=m"(resume)
		     : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(number)
		     : "memory");
	resume = 0;
	return last.vector;
}

static uint64_t cr4(void)
{
	uint64_t value;
	asm volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static uint64_t fault_of_cr4(uint64_t value)
{
	last.vector = 0;
	asm volatile("movq $1f, %0; mov %1, %%cr4; 1:" : "=m"(resume) : "r"(value) : "memory");
	resume = 0;
	return last.vector;
}

// MARK: The processor

static void model_specific_registers(void)
{
	uint32_t answer[4];
	cpuid(0, 0, answer);
	bool amd = answer[1] == 0x68747541; // "Auth"
	static const uint32_t both[] = { 0x10, 0x1b, 0x8b, 0xfe, 0x179, 0x17a, 0x1a0, 0x1d9, 0x277,
					 0x2ff, 0xc0000080, 0xc0000103 };
	static const uint32_t of_amd[] = { 0xc0010000, 0xc0010001, 0xc0010002, 0xc0010003,
					   0xc0010004, 0xc0010005, 0xc0010006, 0xc0010007,
					   0xc0010010, 0xc0010015, 0xc001001f, 0xc0010055,
					   0xc0010058, 0xc0010112, 0xc0010117 };
	static const uint32_t of_intel[] = { 0x17, 0x3a, 0xcd, 0xce, 0x198, 0x199, 0x400 };
	uint64_t value;
	for (unsigned i = 0; i < sizeof both / 4; i++)
		check_one("msr-read", both[i], fault_of_rdmsr(both[i], &value), 0);
	if (amd)
		for (unsigned i = 0; i < sizeof of_amd / 4; i++)
			check_one("msr-read", of_amd[i], fault_of_rdmsr(of_amd[i], &value), 0);
	else
		for (unsigned i = 0; i < sizeof of_intel / 4; i++)
			check_one("msr-read", of_intel[i], fault_of_rdmsr(of_intel[i], &value), 0);
	if (amd)
		for (uint32_t number = 0xc0010000; number < 0xc0010008; number++)
			check_one("msr-write-0", number, fault_of_wrmsr(number, 0), 0);
	check("msr-that-nothing-has-is-refused", fault_of_rdmsr(0x12345, &value),
	      GENERAL_PROTECTION);
	check("resume-flag-of-rdmsr", last.rflags & RESUME_FLAG, RESUME_FLAG);
	check("msr-that-nothing-has-is-not-written", fault_of_wrmsr(0x12345, 0),
	      GENERAL_PROTECTION);
	check("resume-flag-of-wrmsr", last.rflags & RESUME_FLAG, RESUME_FLAG);
	check("non-canonical-fs-base-is-refused",
	      fault_of_wrmsr(0xc0000100, 0x8000000000000000), GENERAL_PROTECTION);
	check("reserved-efer-is-refused", fault_of_wrmsr(0xc0000080, 1 << 16 | 0x500),
	      GENERAL_PROTECTION);
	check("reserved-apic-base-is-refused", fault_of_wrmsr(APIC_BASE, 0xfee00801),
	      GENERAL_PROTECTION);
}

/*
 * Every bit of CR4 whose feature CPUID hides is #GP. QEMU's emulation leaves there for a hypervisor
 * that is not there, for ever. Not tried: LA57, which no one changes in 64-bit mode.
 */
static void control_register_4(void)
{
	uint32_t one[4], seven[4];
	cpuid(1, 0, one);
	cpuid(7, 0, seven);
	static const struct {
		uint8_t bit, leaf, word, feature;
	} of[] = {
		{ 11, 7, 2, 2 },  { 13, 1, 2, 5 },  { 16, 7, 1, 0 },
		{ 17, 1, 2, 17 }, { 18, 1, 2, 26 }, { 20, 7, 1, 7 },  { 21, 7, 1, 20 },
		{ 22, 7, 2, 3 },  { 23, 7, 2, 7 },  { 24, 7, 2, 31 },
	};
	uint64_t before = cr4();
	for (unsigned i = 0; i < sizeof of / sizeof *of; i++) {
		bool offered = (of[i].leaf == 1 ? one : seven)[of[i].word] >> of[i].feature & 1;
		if (offered)
			continue;
		check_one("cr4-hidden-bit", of[i].bit, fault_of_cr4(before | 1ull << of[i].bit),
			  GENERAL_PROTECTION);
		fault_of_cr4(before);
	}
	check("cr4-bit-63", fault_of_cr4(before | 1ull << 63), GENERAL_PROTECTION);
	check("resume-flag-of-cr4", last.rflags & RESUME_FLAG, RESUME_FLAG);
	fault_of_cr4(before);
}

/* One step over an instruction: #DB comes at once after it, with DR6.BS. */
#define STEP(name, instruction, a, b, c, d)                                                       \
	do {                                                                                      \
		uint64_t after, status = 0, ra = (a), rb = (b), rc = (c), rd = (d);               \
		first_debug = 0;                                                                  \
		asm volatile("mov %0, %%dr6" : : "r"(status));                                    \
		asm volatile("movabs $1f, %0; pushfq; orl $0x100, (%%rsp); popfq; " instruction   \
			     "; 1: nop; pushfq; andl $~0x100, (%%rsp); popfq"                     \
			     : "=&r"(after), "+a"(ra), "+b"(rb), "+c"(rc), "+d"(rd)               \
			     :                                                                    \
			     : "memory");                                                         \
		check("single-step-over-" name, first_debug, after);                              \
		asm volatile("mov %%dr6, %0" : "=r"(status));                                     \
		check("dr6-of-single-step-over-" name, status >> 14 & 1, 1);                      \
	} while (0)

static void single_steps(void)
{
	STEP("nop", "nop", 0, 0, 0, 0);
	STEP("cpuid", "cpuid", 0, 0, 0, 0);
	STEP("in", "inb %%dx, %%al", 0, 0, 0, SCRATCH);
	STEP("out", "outb %%al, %%dx", 0, 0, 0, SCRATCH);
	STEP("rdmsr", "rdmsr", 0, 0, 0x1b, 0);
	STEP("wrmsr", "wrmsr", 0, 0, 0x8b, 0);
	STEP("mmio-of-the-client", "movl (%%rbx), %%eax", 0, DEVICE_MEMORY, 0, 0);
	STEP("mmio-of-the-local-apic", "movl (%%rbx), %%eax", 0, XAPIC + SVR, 0, 0);
	STEP("mmio-of-the-io-apic", "movl %%eax, (%%rbx)", 0, IOAPIC, 0, 0);
	STEP("cr4", "mov %%rax, %%cr4", cr4(), 0, 0, 0);
	STEP("wbinvd", "wbinvd", 0, 0, 0, 0);
}

static void nmis(void)
{
	counts[2] = 0;
	send_nmi();
	wait();
	check("nmi-comes-once", counts[2], 1);
	counts[2] = deepest_nmi = 0;
	nmis_to_send = 1;
	send_nmi();
	wait();
	check("nmi-in-its-handler-waits-for-iret", deepest_nmi, 1);
	check("nmi-in-its-handler-is-kept", counts[2], 2);
	counts[2] = deepest_nmi = 0;
	nmis_to_send = 3;
	send_nmi();
	wait();
	check("nmis-in-a-handler-do-not-nest", deepest_nmi, 1);
	check("nmis-in-a-handler-are-one", counts[2], 2);
	// One that comes with the stack switched by halves would find no stack.
	counts[2] = 0;
	uint64_t address = XAPIC + ICR;
	set_apic(ICR_HIGH, apic(0x20));
	asm volatile("mov %%ss, %%ecx; mov %%ecx, %%ss; movl %0, (%1)"
		     :
		     : "r"(SEND_NMI | ICR_ASSERT), "r"(address)
		     : "ecx", "memory");
	wait();
	check("nmi-after-mov-ss", counts[2], 1);
}

// MARK: Memory of a device

static uint8_t ordinary[64] __attribute__((aligned(4096)));
static uint8_t beyond[4096] __attribute__((aligned(4096)));

static void fill(volatile uint8_t *memory)
{
	for (int i = 0; i < 64; i++)
		memory[i] = i * 37 + 11;
}

static void operations_on_a_device(void)
{
	volatile uint8_t *device = (void *)DEVICE_MEMORY;
	for (const struct operation *one = operations; one != operations_end; one++) {
		struct state states[2];
		uint64_t moved = 0;
		for (int on_device = 0; on_device < 2; on_device++) {
			volatile uint8_t *memory = on_device ? device : ordinary;
			fill(memory);
			struct state *state = &states[on_device];
			state->rax = 0x1122334455667788;
			state->rbx = 0x99;
			state->rcx = 6;
			state->rdx = 0x1234567;
			state->rflags = 3;
			for (int i = 0; i < 16; i++)
				state->xmm0[i] = i * 3 + 1;
			run_operation(state, (void *)memory, one->code);
			state->rflags &= one->flags;
		}
		for (int i = 0; i < 64; i++)
			moved += device[i] != ordinary[i];
		for (unsigned i = 0; i < sizeof(struct state); i++)
			moved += ((uint8_t *)states)[i] != ((uint8_t *)&states[1])[i];
		check(one->name, moved, 0);
	}
}

static void map(uint64_t first, uint64_t second)
{
	window[0] = first | 3;
	window[1] = second | 3;
	asm volatile("invlpg (%0); invlpg (%1)"
		     :
		     : "r"(WINDOW), "r"(WINDOW + 4096)
		     : "memory");
}

static void page_boundaries(void)
{
	volatile uint8_t *memory = ordinary, *device = (void *)DEVICE_MEMORY;
	uint64_t boundary = WINDOW + 4096;
	memory[0] = 0x11, memory[1] = 0x22;
	device[4094] = 0x33, device[4095] = 0x44;
	device[0] = 0x55, device[1] = 0x66;
	device[4096] = 0xee, device[8192 + 0] = 0x77, device[8192 + 1] = 0x88;
	map(DEVICE_MEMORY, (uint64_t)ordinary);
	check("read-from-a-device-into-memory", read32(boundary - 2), 0x22114433);
	map(DEVICE_MEMORY, DEVICE_MEMORY + 8192);
	check("read-from-a-device-into-another", read32(boundary - 2), 0x88774433);
	beyond[4094] = 0x12, beyond[4095] = 0x34;
	map((uint64_t)beyond, DEVICE_MEMORY);
	check("read-from-memory-into-a-device", read32(boundary - 2), 0x66553412);
	write32(boundary - 2, 0xaabbccdd);
	check("write-from-memory-into-a-device",
	      device[1] << 24 | device[0] << 16 | ((volatile uint8_t *)beyond)[4095] << 8 |
		      ((volatile uint8_t *)beyond)[4094],
	      (int)0xaabbccdd);
	map(DEVICE_MEMORY, DEVICE_MEMORY + 8192);
	write32(boundary - 2, 0x01020304);
	check("write-from-a-device-into-another",
	      device[8193] << 24 | device[8192] << 16 | device[4095] << 8 | device[4094],
	      0x01020304);
	check("the-next-page-is-untouched", device[4096], 0xee);
}

static void string_input_output(void)
{
	volatile uint8_t *device = (void *)DEVICE_MEMORY;
	uint64_t address = DEVICE_MEMORY, count = 3;
	device[0] = 0x21, device[1] = 0x43, device[2] = 0x65;
	asm volatile("rep outsb" : "+S"(address), "+c"(count) : "d"(SCRATCH) : "memory");
	check("outs-from-a-device", in8(SCRATCH), 0x65);
	check("outs-from-a-device-ends", address, DEVICE_MEMORY + 3);
	address = DEVICE_MEMORY + 16, count = 2;
	out8(SCRATCH, 0x5a);
	device[16] = device[17] = device[18] = 0;
	asm volatile("rep insb" : "+D"(address), "+c"(count) : "d"(SCRATCH) : "memory");
	check("ins-to-a-device", device[18] << 16 | device[17] << 8 | device[16], 0x5a5a);
	check("ins-to-a-device-ends", address, DEVICE_MEMORY + 18);
}

// MARK: Interrupts

static volatile uint32_t rounds, seen_tmr, seen_remote_irr;

static bool bit_of(uint32_t base, uint32_t vector)
{
	return apic(base + vector / 32 * 16) >> vector % 32 & 1;
}

/* Lowers the line in the last of `rounds` rounds. */
static void serve_line(uint64_t vector)
{
	seen_tmr = bit_of(TMR, vector);
	seen_remote_irr = ioapic(0x10 + 2 * PIN) >> 14 & 1;
	if (rounds && !--rounds)
		out8(INTERRUPT_LINE + PIN, 0);
}

static void lines(void)
{
	set_ioapic(0x11 + 2 * PIN, apic(0x20) & 0xff000000);
	serve = serve_line;
	for (uint32_t often = 1; often <= 3; often += 2) {
		counts[VECTOR] = 0;
		rounds = often;
		set_ioapic(0x10 + 2 * PIN, VECTOR | LEVEL);
		out8(INTERRUPT_LINE + PIN, 1);
		wait();
		check_one("level-interrupts-while-high", often, counts[VECTOR], often);
		check_one("tmr-of-a-level", often, seen_tmr, 1);
		check_one("remote-irr-until-eoi", often, seen_remote_irr, 1);
		check_one("remote-irr-after-eoi", often,
			  ioapic(0x10 + 2 * PIN) & REMOTE_IRR, 0);
	}
	set_ioapic(0x10 + 2 * PIN, EDGE_VECTOR);
	rounds = 0;
	out8(INTERRUPT_LINE + PIN, 1);
	wait();
	check("edge-interrupts-once", counts[EDGE_VECTOR], 1);
	check("tmr-of-an-edge", seen_tmr, 0);
	out8(INTERRUPT_LINE + PIN, 0);
	out8(INTERRUPT_LINE + PIN, 1);
	wait();
	check("edge-interrupts-again", counts[EDGE_VECTOR], 2);
	out8(INTERRUPT_LINE + PIN, 0);
	set_ioapic(0x10 + 2 * PIN, MASKED | EDGE_VECTOR);
	serve = 0;
}

static void pic(void)
{
	static const uint8_t words[][2] = {
		{ 0x20, 0x11 }, { 0x21, 0x30 }, { 0x21, 4 }, { 0x21, 1 }, { 0xa0, 0x11 },
		{ 0xa1, PIC_VECTOR }, { 0xa1, 2 }, { 0xa1, 1 }, { 0x21, 0xfb }, { 0xa1, 0xfb },
	};
	for (unsigned i = 0; i < sizeof words / 2; i++)
		out8(words[i][0], words[i][1]);
	set_apic(LVT_LINT0, EXTINT);
	out8(INTERRUPT_LINE + PIN, 1);
	wait();
	check("pic-by-way-of-lint0", counts[PIC_VECTOR + 2], 1);
	out8(INTERRUPT_LINE + PIN, 0);
	out8(0x21, 0xff);
	out8(0xa1, 0xff);
	set_apic(LVT_LINT0, MASKED | EXTINT);
}

static uint32_t sent(uint32_t command, uint32_t destination)
{
	counts[VECTOR] = 0;
	set_apic(ICR_HIGH, destination << 24);
	set_apic(ICR, command | ICR_ASSERT | VECTOR);
	wait();
	return counts[VECTOR];
}

static void local_apic(void)
{
	uint32_t own = apic(0x20) >> 24;
	set_apic(SVR, 0x1ff);
	check("ipi-to-itself", sent(TO_ITSELF, 0), 1);
	check("ipi-to-all", sent(TO_ALL, 0), 1);
	check("ipi-to-its-id", sent(0, own), 1);
	check("ipi-broadcast-by-destination", sent(0, 0xff), 1);
	check("ipi-of-lowest-priority", sent(LOWEST_PRIORITY, own), 1);
	set_apic(DFR, 0xffffffff);
	set_apic(LDR, 0x02000000);
	check("ipi-flat-logical", sent(LOGICAL, 0x02), 1);
	check("ipi-flat-logical-to-another", sent(LOGICAL, 0x04), 0);
	check("ipi-flat-logical-of-lowest-priority", sent(LOGICAL | LOWEST_PRIORITY, 0x03), 1);
	set_apic(DFR, 0x0fffffff);
	set_apic(LDR, 0x12000000);
	check("ipi-cluster-logical", sent(LOGICAL, 0x12), 1);
	check("ipi-cluster-logical-to-another", sent(LOGICAL, 0x22), 0);
	set_apic(DFR, 0xffffffff);
	set_apic(0x80, 0x70);
	set_apic(ICR, TO_ITSELF | ICR_ASSERT | VECTOR);
	counts[VECTOR] = 0;
	wait();
	check("tpr-holds-back", counts[VECTOR], 0);
	check("irr-of-what-is-held-back", bit_of(IRR, VECTOR), 1);
	set_apic(0x80, 0);
	wait();
	check("tpr-lets-through", counts[VECTOR], 1);
	set_apic(ESR, 0);
	set_apic(ESR, 0);
	check("esr-without-an-error", apic(ESR), 0);
	set_apic(ICR, TO_ITSELF | ICR_ASSERT | ILLEGAL_VECTOR);
	set_apic(ESR, 0);
	check("esr-of-an-illegal-vector", apic(ESR) != 0, 1);
	set_apic(DIVIDE, 0xb);
	counts[TIMER_VECTOR] = 0;
	set_apic(LVT_TIMER, TIMER_VECTOR);
	set_apic(INITIAL_COUNT, 10000);
	wait();
	check("one-shot-timer", counts[TIMER_VECTOR], 1);
	check("current-count-after-it", apic(CURRENT_COUNT), 0);
	set_apic(LVT_TIMER, MASKED | TIMER_VECTOR);
	set_apic(INITIAL_COUNT, 0xffffffff);
	uint32_t before = apic(CURRENT_COUNT);
	wait();
	check("masked-timer-counts", apic(CURRENT_COUNT) < before, 1);
	set_apic(INITIAL_COUNT, 0);
	check("stopped-timer", apic(CURRENT_COUNT), 0);
	set_apic(LVT_TIMER, TIMER_VECTOR);
	set_apic(SVR, 0xff);
	check("software-disable-masks", apic(LVT_TIMER) & MASKED, MASKED);
	set_apic(LVT_TIMER, TIMER_VECTOR);
	check("software-disabled-stays-masked", apic(LVT_TIMER) & MASKED, MASKED);
	check("ipi-to-a-software-disabled-apic", sent(TO_ITSELF, 0), 0);
	set_apic(SVR, 0x1ff);
	// Bits that the register lacks.
	set_apic(LVT_TIMER, 0xfff9ef00 | MASKED);
	check("lvt-has-no-other-bits", apic(LVT_TIMER) & ~0x710ffu, 0x0);
	set_apic(LVT_TIMER, MASKED);
}

/* Late: some emulators switch an APIC off for ever. */
static void apic_off(void)
{
	uint64_t base;
	fault_of_rdmsr(APIC_BASE, &base);
	set_apic(DIVIDE, 0xb);
	set_apic(LVT_TIMER, PERIODIC | TIMER_VECTOR);
	set_apic(INITIAL_COUNT, 1000000);
	wait();
	uint64_t refused = fault_of_wrmsr(APIC_BASE, base & ~APIC_GLOBALLY_ENABLED);
	check("apic-goes-off", refused, 0);
	counts[TIMER_VECTOR] = 0;
	wait();
	wait();
	check("no-timer-of-an-apic-that-is-off", counts[TIMER_VECTOR], 0);
	uint32_t answer[4];
	cpuid(1, 0, answer);
	check("cpuid-of-an-apic-that-is-off", answer[3] >> 9 & 1, 0);
	check("apic-comes-back", fault_of_wrmsr(APIC_BASE, base), 0);
	check("an-apic-that-is-back-is-as-after-reset", apic(LVT_TIMER), MASKED);
}

/*
 * `start_info` is PVH's (Xen's start_info.h, struct hvm_start_info). The command line says which
 * part: one that a hypervisor cannot end costs no other. Each is named by its first letter.
 */
void run(const char *const *start_info)
{
	char part = start_info[START_INFO_COMMAND_LINE][0];
	say("\n");
	// What the firmware used: its clock would come with the vector of a double fault.
	out8(0x21, 0xff);
	out8(0xa1, 0xff);
	set_apic(LVT_LINT0, MASKED | EXTINT);
	set_apic(SVR, 0x1ff);
	switch (part) {
	case 'g': // general
		model_specific_registers();
		single_steps();
		nmis();
		lines();
		pic();
		local_apic();
		page_boundaries();
		string_input_output();
		apic_off();
		break;
	case 'o': // operations
		operations_on_a_device();
		break;
	case 'c': // cr4
		control_register_4();
		break;
	}
	say("checks done\n");
	out32(DEBUG_EXIT, 0);
}
