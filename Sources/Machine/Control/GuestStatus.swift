// SPDX-License-Identifier: Apache-2.0

/// What a running guest's process says of it.
public struct GuestStatus: Equatable, Sendable {
  public enum State: String, Codable, Sendable {
    case starting, running, ending
  }

  public var name: GuestName
  public var pid: Int32
  public var state: State
  public var device: String
  public var hypervisor: Hypervisor
  /// Bytes.
  public var memory: UInt64
  /// Since the guest's first instruction.
  public var uptime: Duration
  public var virtualCPUs: [VirtualCPU]

  public struct VirtualCPU: Equatable, Sendable {
    public var id: Int
    /// The host's CPU, where the vCPU has one of its own.
    public var cpu: Int?
    public var exits: ExitCounts
    public var interrupts: VirtualCPUResult.Mode?
    public var timer: VirtualCPUResult.Mode?
    /// Nil where it cannot be read while the vCPU runs.
    public var apic: VirtualCPUResult.APICMode?
  }

  public var exits: ExitCounts { virtualCPUs.reduce(.none) { $0 + $1.exits } }

  public var cpus: [Int] { virtualCPUs.compactMap(\.cpu) }
}

extension GuestStatus.VirtualCPU {
  /// Of a vCPU that has not started.
  init(id: Int, cpu: Int?) {
    self.init(id: id, cpu: cpu, exits: .none, interrupts: nil, timer: nil, apic: nil)
  }

  init(_ result: VirtualCPUResult, hasAPIC: Bool) {
    self.init(
      id: result.id, cpu: result.cpu, exits: result.exits, interrupts: result.interrupts,
      timer: result.timer, apic: hasAPIC ? result.apic : nil)
  }
}
