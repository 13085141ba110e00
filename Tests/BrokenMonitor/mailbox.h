/* SPDX-License-Identifier: Apache-2.0 */
/* Where struct apus_cpu keeps what the broken monitor touches; mailbox.c holds it to that. */
#define CPU_DOORBELL 0x18
#define CPU_PROCEED 0x20
#define CPU_COMMAND_SEQUENCE 0x24
#define CPU_COMMAND 0x28
#define CPU_STATE 0x58
#define CPU_REASON 0x5c
#define CPU_DONE_SEQUENCE 0x68
#define CPU_RESULT 0x70
#define CPU_FAULT 0x88

/* Pages that are the monitor's own: what it wrote there outlives a reset of its CPU. */
#define CPU_PRIVATE 0x215000

#define ARRIVED 1
#define READY 2
#define PARKED 3
#define UNFIT 4
#define STOPPED 5
#define BIND 1
#define VCPU 3
#define RUN 4
#define PARK 5
#define UNFIT_NO_NESTED_PAGING 4
