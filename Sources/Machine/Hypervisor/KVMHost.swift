// SPDX-License-Identifier: Apache-2.0
import KVM
import SystemPackage

/// A vCPU of `/dev/kvm`, which runs on its thread's CPU.
final class KVMHost: VirtualCPUHost {
  private let counters: Counters?
  /// The host's CPU to stay on.
  private let pinnedCPU: Int?
  private let requestedNMI = RequestedNMI()

  init(_ virtualCPU: borrowing VirtualCPU, pinnedCPU: Int?) {
    // Kernels before 5.14 have no counters: then there are none in the report.
    counters = try? virtualCPU.openCounters()
    self.pinnedCPU = pinnedCPU
  }

  func begin() -> String? {
    if let pinnedCPU, !Thread.stay(onCPU: pinnedCPU) {
      return "this process may not run on CPU \(pinnedCPU)"
    }
    requestedNMI.begin()
    return nil
  }

  func end() { requestedNMI.end() }

  func prepareToRun(_ virtualCPU: borrowing VirtualCPU) throws(KVMError) {
    try requestedNMI.deliver(to: virtualCPU)
  }

  /// KVM makes other threads wait until the vCPU's own comes out of the guest.
  func sendNMI(to virtualCPU: borrowing VirtualCPU) { requestedNMI.request(of: virtualCPU) }

  /// `/dev/kvm` does not know the request: ENOTTY.
  func setTimer(of virtualCPU: borrowing VirtualCPU, _ timer: TimerChoice) throws(KVMError) {
    throw KVMError(call: "KVM_APUS_SET_TIMER", errno: Errno(rawValue: 25))
  }

  func exits(of virtualCPU: borrowing VirtualCPU) -> ExitCounts {
    guard let values = try? counters?.values() else { return .none }
    return ExitCounts(kvm: values)
  }

  /// KVM's registers are their thread's alone.
  func status(of virtualCPU: borrowing VirtualCPU) -> GuestStatus.VirtualCPU {
    .init(result(of: virtualCPU, apicBase: 0), hasAPIC: false)
  }

  func result(of virtualCPU: borrowing VirtualCPU) -> VirtualCPUResult {
    result(of: virtualCPU, apicBase: (try? virtualCPU.specialRegisters().apic_base) ?? 0)
  }

  private func result(
    of virtualCPU: borrowing VirtualCPU, apicBase: UInt64
  ) -> VirtualCPUResult {
    VirtualCPUResult(
      id: Int(virtualCPU.id), kvm: exits(of: virtualCPU), pinnedTo: pinnedCPU, apicBase: apicBase)
  }
}
