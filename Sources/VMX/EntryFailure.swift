// SPDX-License-Identifier: Apache-2.0

/// Why an entry was refused, in words: `Exit.invalidState`'s code is a VM-instruction error, or an
/// exit reason with bit 31 set.
public enum EntryFailure {
  public static func words(_ code: UInt64) -> StaticString {
    let code = UInt32(truncatingIfNeeded: code)
    return code & ExitReason.entryFailure != 0
      ? reason(UInt16(truncatingIfNeeded: code)) : instructionError(code)
  }

  /// SDM vol. 3, 27.8.
  private static func reason(_ number: UInt16) -> StaticString {
    switch ExitReason(rawValue: number) {
    case .invalidGuestState: "invalid guest state"
    case .msrLoading: "an MSR could not be loaded"
    case .machineCheckDuringEntry: "machine check during the entry"
    default: "entry failure of an unknown kind"
    }
  }

  /// SDM vol. 3, 31.4.
  private static func instructionError(_ number: UInt32) -> StaticString {
    switch number {
    case 1: "VMCALL in VMX root operation"
    case 2: "VMCLEAR with an invalid physical address"
    case 3: "VMCLEAR with the VMXON pointer"
    case 4: "VMLAUNCH with a VMCS that is not clear"
    case 5: "VMRESUME with a VMCS that was not launched"
    case 6: "VMRESUME after VMXOFF"
    case 7: "invalid control fields"
    case 8: "invalid host state"
    case 9: "VMPTRLD with an invalid physical address"
    case 10: "VMPTRLD with the VMXON pointer"
    case 11: "VMPTRLD with an incorrect VMCS revision identifier"
    case 12: "VMREAD or VMWRITE of a field that does not exist"
    case 13: "VMWRITE to a read-only field"
    case 15: "VMXON in VMX root operation"
    case 16: "invalid executive-VMCS pointer"
    case 17: "executive VMCS that was not launched"
    case 18: "executive-VMCS pointer that is not the VMXON pointer"
    case 19: "VMCALL with a VMCS that is not clear"
    case 20: "VMCALL with invalid VM-exit control fields"
    case 22: "VMCALL with an incorrect MSEG revision identifier"
    case 23: "VMXOFF under dual-monitor treatment of SMIs and SMM"
    case 24: "VMCALL with invalid SMM-monitor features"
    case 25: "invalid VM-execution controls in the executive VMCS"
    case 26: "events blocked by MOV SS"
    case 28: "invalid operand of INVEPT or INVVPID"
    default: "VM-instruction error of an unknown number"
    }
  }
}
