/* SPDX-License-Identifier: GPL-2.0 */
/* Between a vCPU and its file descriptor. */
#ifndef APUS_VCPU_FILE_H
#define APUS_VCPU_FILE_H

#include "vm.h"

extern const struct file_operations vcpu_operations;
void vcpu_close(struct vcpu *vcpu);

#endif
