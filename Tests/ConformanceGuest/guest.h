/* SPDX-License-Identifier: Apache-2.0 */
/* What both files of the conformance guest know. */
#define CODE 0x08
#define DATA 0x10
#define TASK 0x18
/* Two pages that are mapped to what `window` says. */
#define WINDOW 0x100000000

/* Offsets of struct state. */
#define STATE_RAX 0
#define STATE_RBX 8
#define STATE_RCX 16
#define STATE_RDX 24
#define STATE_FLAGS 32
#define STATE_XMM0 40
