// SPDX-License-Identifier: Apache-2.0

/// What a run was and what it cost.
public struct RunResult: Equatable, Sendable {
  public var device: String
  public var hypervisor: Hypervisor
  public var outcome: RunOutcome
  /// From the guest's first instruction to its end.
  public var elapsed: Duration
  public var report: GuestReport
  public var virtualCPUs: [VirtualCPUResult]

  /// Of all vCPUs.
  public var exits: ExitCounts { virtualCPUs.reduce(.none) { $0 + $1.exits } }
}
