// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// KVM_X86_SETUP_MCE and KVM_X86_SET_MCE.
extension VirtualCPU {
  /// KVM_X86_SETUP_MCE.
  func setUpMachineCheck(_ capability: UInt64) -> Int64 {
    machineCheck.setUp(capability) ? 0 : -EINVAL_
  }

  /// KVM_X86_SET_MCE.
  func reportMachineCheck(_ error: kvm_x86_mce) -> Int64 {
    let canTake = CR4(rawValue: unit.cr4).contains(.machineCheck)
    switch machineCheck.report(error, canTake: canTake) {
    case .refused: return -EINVAL_
    case .recorded: break
    case .exception: inject(.machineCheck)
    case .shutdown: state.shutdownPending = true
    }
    return 0
  }
}
