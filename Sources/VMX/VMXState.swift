// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import X86

/// What the VMCS does not hold: in the vCPU area, behind the MSR bitmaps. All bits 0 is its
/// state before the first entry.
public struct VMXState {
  /// The VMCS was launched since it was made current.
  var isLaunched: Bool
  /// The client is told of HLT.
  var haltsExit: Bool
  /// When the preemption timer is to end the guest's run; 0: never.
  var deadline: UInt64
  /// The preemption timer's control is set.
  var isTimerOn: Bool
  /// What the TPR threshold is.
  var priorityThreshold: UInt8
  /// Translations are to be forgotten at the next entry.
  var flushes: Bool
  /// An entry has more to do than to enter.
  @inline(__always) var needsPreparation: Bool { flushes || deadline != 0 }
  var eptPointer: UInt64
  /// The newest exit, or refused entry.
  var exitCode: UInt32
  /// What that exit cut short: the IDT-vectoring information.
  var interruptedEvent: UInt32
  var exitInstructionPointer: UInt64
  /// The qualification, or of an EPT violation the guest-physical address.
  var exitInformation: UInt64
  /// Registers that are the guest's while the vCPU is on a CPU; here while it is on none.
  var cr2: UInt64
  var dr6: UInt64
  var msrs: InlineArray<5, UInt64>
}

/// MSRs that VT-x does not switch and the monitor does not use: they are the guest's from
/// `load` to `unload`.
enum LentMSRs {
  static var count: Int { 5 }
  static subscript(_ index: Int) -> MSR {
    switch index {
    case 0: .star
    case 1: .lstar
    case 2: .cstar
    case 3: .systemCallMask
    default: .kernelGSBase
    }
  }

  static func contain(_ msr: MSR) -> Bool {
    for index in 0..<count where self[index] == msr { return true }
    return false
  }
}
