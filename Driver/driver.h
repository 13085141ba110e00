/* SPDX-License-Identifier: GPL-2.0 */
/* The module itself, above both halves. */
#ifndef APUS_DRIVER_H
#define APUS_DRIVER_H

#include "lend/lend.h"
#include "vm/vm.h"

/* device.c */
extern const struct file_operations apus_device_operations;

/* host.c */
long host_describe(struct apus_host __user *argument);

/* guard.c */
int guard_init(void);
void guard_exit(void);

#endif
