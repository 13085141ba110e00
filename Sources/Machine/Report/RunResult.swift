// SPDX-License-Identifier: Apache-2.0

/// What a run was and what it cost.
public struct RunResult: Equatable, Sendable {
  public var device: String
  public var isApus: Bool
  public var outcome: Outcome
  /// From the guest's first instruction to its end.
  public var elapsed: Duration
  public var report: GuestReport
  public var virtualCPUs: [VirtualCPUResult]

  /// Of all vCPUs.
  public var exits: ExitCounts { virtualCPUs.reduce(.none) { $0 + $1.exits } }
}

public struct VirtualCPUResult: Equatable, Sendable {
  public var id: Int
  /// The host's CPU, where the vCPU had one of its own.
  public var cpu: Int?
  public var exits: ExitCounts
  public var apic = APICMode.disabled
  public var interrupts = Delivery.emulated
  public var timer = Delivery.emulated
  /// Real interrupts that the driver sent to the guest for interrupt lines.
  public var interruptsSent: UInt64 = 0

  init(id: Int, exits: ExitCounts) {
    self.id = id
    self.exits = exits
  }

  /// What the guest made of its local APIC.
  public enum APICMode: String, Sendable {
    case disabled
    case xAPIC = "xapic"
    case x2APIC = "x2apic"

    /// `enum apus_apic_mode`.
    init(mode: UInt32) {
      self = mode == 2 ? .x2APIC : mode == 1 ? .xAPIC : .disabled
    }
  }

  /// Whether the guest has the hardware itself.
  public enum Delivery: String, Sendable {
    case direct
    case emulated
  }
}
