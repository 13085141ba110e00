// SPDX-License-Identifier: Apache-2.0
import KVM

/// What `/dev/apus` and `/dev/kvm` do differently for one vCPU.
///
/// Every call is given that vCPU. `exits`, `status`, `sendNMI` and `setTimer` may come from any thread, the
/// others come from the thread that runs the vCPU, or after its end.
protocol VirtualCPUHost: Sendable {
  /// The calling thread begins to run the vCPU. Nil if it may, else why not.
  func begin() -> String?
  /// It runs the vCPU no longer.
  func end()
  /// Before each KVM_RUN.
  func prepareToRun(_ virtualCPU: borrowing VirtualCPU) throws(KVMError)

  func sendNMI(to virtualCPU: borrowing VirtualCPU) throws(KVMError)
  func setTimer(of virtualCPU: borrowing VirtualCPU, _ timer: TimerChoice) throws(KVMError)
  /// Exits so far.
  func exits(of virtualCPU: borrowing VirtualCPU) -> ExitCounts
  /// What there is to say while the vCPU runs.
  func status(of virtualCPU: borrowing VirtualCPU) -> GuestStatus.VirtualCPU
  /// What there is to say after the run.
  func result(of virtualCPU: borrowing VirtualCPU) -> VirtualCPUResult
}
