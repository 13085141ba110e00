/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets that assembly needs; offsets.c holds them against the C structures. Registers
 * lie in the order of their encoding (GuestRegisters in Swift). */
#define REGISTER_RAX 0x00
#define REGISTER_RCX 0x08
#define REGISTER_RDX 0x10
#define REGISTER_RBX 0x18
#define REGISTER_RBP 0x28
#define REGISTER_RSI 0x30
#define REGISTER_RDI 0x38
#define REGISTER_R8 0x40
#define REGISTER_R9 0x48
#define REGISTER_R10 0x50
#define REGISTER_R11 0x58
#define REGISTER_R12 0x60
#define REGISTER_R13 0x68
#define REGISTER_R14 0x70
#define REGISTER_R15 0x78

/* struct apus_cpu at its fixed address: APUS_WINDOW_BASE + APUS_WINDOW_CPU pages. */
#define CPU_CONTROL 0x210000
#define CPU_NMIS 0x78
#define CPU_MACHINE_CHECKS 0x80
#define CPU_TAKEN 0xc0

#define TRAMPOLINE_PAGE_TABLE 0xf00
#define TRAMPOLINE_STACK 0xf08
#define TRAMPOLINE_ENTRY 0xf10
