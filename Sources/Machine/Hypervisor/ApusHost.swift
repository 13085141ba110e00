// SPDX-License-Identifier: Apache-2.0
import KVM

/// A vCPU of `/dev/apus`, which has a lent CPU for itself. Its thread only waits.
struct ApusHost: VirtualCPUHost {
  func begin() -> String? { nil }

  func end() {}

  func prepareToRun(_ virtualCPU: borrowing VirtualCPU) {}

  func sendNMI(to virtualCPU: borrowing VirtualCPU) throws(KVMError) {
    try virtualCPU.injectNMI()
  }

  func setTimer(of virtualCPU: borrowing VirtualCPU, _ timer: TimerChoice) throws(KVMError) {
    try virtualCPU.setTimer(timer.policy)
  }

  func exits(of virtualCPU: borrowing VirtualCPU) -> ExitCounts {
    (try? virtualCPU.statistics()).map { ExitCounts($0) } ?? .none
  }

  func status(of virtualCPU: borrowing VirtualCPU) -> GuestStatus.VirtualCPU {
    let id = Int(virtualCPU.id)
    guard let statistics = try? virtualCPU.statistics() else {
      return .init(VirtualCPUResult(lostOnApus: id), hasAPIC: false)
    }
    return .init(VirtualCPUResult(id: id, apus: statistics), hasAPIC: true)
  }

  func result(of virtualCPU: borrowing VirtualCPU) -> VirtualCPUResult {
    let id = Int(virtualCPU.id)
    guard let statistics = try? virtualCPU.statistics() else {
      return VirtualCPUResult(lostOnApus: id)
    }
    return VirtualCPUResult(id: id, apus: statistics)
  }
}
