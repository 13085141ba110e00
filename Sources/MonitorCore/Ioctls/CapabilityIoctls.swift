// SPDX-License-Identifier: Apache-2.0
import Contract

/// KVM_ENABLE_CAP of a vCPU, KVM_SET_VAPIC_ADDR and KVM_TPR_ACCESS_REPORTING.
extension VirtualCPU {
  func enable(_ wanted: kvm_enable_cap) -> Int64 {
    guard wanted.flags == 0 else { return -EINVAL_ }
    switch Int32(truncatingIfNeeded: wanted.cap) {
    case KVM_CAP_ENFORCE_PV_FEATURE_CPUID:
      state.enforcesParavirtualFeatures = wanted.args.0 != 0
      return 0
    default: return -EINVAL_
    }
  }

  /// The page in which a 32-bit Windows that QEMU has patched keeps its task priority. A guest has the
  /// real register here and is not patched: only 0 (no page) can be meant.
  func setVAPICAddress(_ address: kvm_vapic_addr) -> Int64 {
    vm.irqchip != 0 && address.vapic_addr == 0 ? 0 : -EINVAL_
  }

  /// As on a processor that virtualises the task priority: accepted, and never are there accesses to
  /// be reported.
  func reportTaskPriorityAccesses(_ wanted: kvm_tpr_access_ctl) -> Int64 {
    wanted.flags == 0 ? 0 : -EINVAL_
  }
}
