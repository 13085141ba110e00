/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What count.c uses of QEMU's interface for TCG plugins, version 4 (QEMU 9.1 to 10.0). Debian
 * packages no header for it.
 */
#ifndef APUS_QEMU_PLUGIN_H
#define APUS_QEMU_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

typedef void (*translation_callback)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*execution_callback)(unsigned int cpu, void *data);
typedef void (*end_callback)(qemu_plugin_id_t, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translation_callback);
void qemu_plugin_register_vcpu_insn_exec_cb(
	struct qemu_plugin_insn *, execution_callback, enum qemu_plugin_cb_flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, end_callback, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);

#endif
