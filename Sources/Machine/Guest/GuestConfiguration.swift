// SPDX-License-Identifier: Apache-2.0

/// What a guest is made of.
public struct GuestConfiguration: Sendable {
  /// `/dev/apus` or `/dev/kvm`.
  public var device: String
  /// The host's CPUs, one for each vCPU: lent ones on `/dev/apus`, on `/dev/kvm` those that the
  /// vCPUs' threads stay on. Empty: one vCPU, on a CPU of the device's choice.
  public var cpus: [Int]
  /// Bytes.
  public var memorySize: UInt64
  public var loader: BootLoader
  /// The machine's own ports that the guest gets for itself. Only on `/dev/apus`.
  public var ports: [PortRange]
  /// Who keeps the timers of its local APICs, if that was said. Only on `/dev/apus`.
  public var timer: TimerChoice?
  /// Beside a PC's own.
  public var devices: [VirtualDevice]
  /// Whether the guest's console is the process's terminal.
  public var console: Bool

  public init(
    device: String, cpus: [Int], memorySize: UInt64, loader: BootLoader,
    ports: [PortRange] = [], timer: TimerChoice? = nil, devices: [VirtualDevice] = [],
    console: Bool
  ) {
    self.device = device
    self.cpus = cpus
    self.memorySize = memorySize
    self.loader = loader
    self.ports = ports
    self.timer = timer
    self.devices = devices
    self.console = console
  }
}
