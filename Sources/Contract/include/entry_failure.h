/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Why a processor refused to enter a guest, in words: hardware_entry_failure_reason of
 * KVM_EXIT_FAIL_ENTRY. On SVM that is always VMEXIT_INVALID; on VT-x an exit reason with
 * bit 31 set, or a VM-instruction error (SDM vol. 3, 27.8 and 31.4).
 */
#ifndef APUS_ENTRY_FAILURE_H
#define APUS_ENTRY_FAILURE_H

#include <stdint.h>

static inline const char *apus_entry_failure_words(uint64_t code)
{
	switch (code) {
	case UINT64_MAX:
	case 0x80000021: return "invalid guest state";
	case 0x80000022: return "an MSR could not be loaded";
	case 0x80000029: return "machine check during the entry";
	case 1: return "VMCALL in VMX root operation";
	case 2: return "VMCLEAR with an invalid physical address";
	case 3: return "VMCLEAR with the VMXON pointer";
	case 4: return "VMLAUNCH with a VMCS that is not clear";
	case 5: return "VMRESUME with a VMCS that was not launched";
	case 6: return "VMRESUME after VMXOFF";
	case 7: return "invalid control fields";
	case 8: return "invalid host state";
	case 9: return "VMPTRLD with an invalid physical address";
	case 10: return "VMPTRLD with the VMXON pointer";
	case 11: return "VMPTRLD with an incorrect VMCS revision identifier";
	case 12: return "VMREAD or VMWRITE of a field that does not exist";
	case 13: return "VMWRITE to a read-only field";
	case 15: return "VMXON in VMX root operation";
	case 16: return "invalid executive-VMCS pointer";
	case 17: return "executive VMCS that was not launched";
	case 18: return "executive-VMCS pointer that is not the VMXON pointer";
	case 19: return "VMCALL with a VMCS that is not clear";
	case 20: return "VMCALL with invalid VM-exit control fields";
	case 22: return "VMCALL with an incorrect MSEG revision identifier";
	case 23: return "VMXOFF under dual-monitor treatment of SMIs and SMM";
	case 24: return "VMCALL with invalid SMM-monitor features";
	case 25: return "invalid VM-execution controls in the executive VMCS";
	case 26: return "events blocked by MOV SS";
	case 28: return "invalid operand of INVEPT or INVVPID";
	default: return "unknown reason";
	}
}

#endif
