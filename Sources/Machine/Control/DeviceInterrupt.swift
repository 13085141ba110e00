// SPDX-License-Identifier: Apache-2.0
import Contract
import Figures
import KVM

/// An interrupt of a device of the machine that a guest has, and how it gets there. Neither way
/// costs the guest an exit; forwarded, it costs the host an interrupt of its own.
public struct DeviceInterrupt: Equatable, Sendable {
  public enum Way: String, Encodable, Sendable {
    case direct, forwarded
  }

  /// Of the process that made the VM.
  public var pid: Int32
  /// Linux's number of it, as in /proc/interrupts.
  public var hostIrq: UInt32
  /// The VM's, as in KVM_SET_GSI_ROUTING.
  public var gsi: UInt32
  public var way: Way
  /// Why it is not direct.
  public var reason: String?
  /// Of a direct one: whom it interrupts.
  public var vcpu: UInt32?
  public var vector: UInt32?
  /// How often Linux took it for the guest since the device has it.
  public var forwarded: UInt64
  /// How often it was sent another way since then.
  public var changes: UInt64

  public init(_ interrupt: apus_interrupt) {
    pid = interrupt.process
    hostIrq = interrupt.host_irq
    gsi = interrupt.gsi
    let isDirect = interrupt.delivery == APUS_DELIVERY_DIRECT.rawValue
    way = isDirect ? .direct : .forwarded
    reason = isDirect ? nil : String(cString: apus_delivery_words(interrupt.delivery))
    vcpu = isDirect ? interrupt.vcpu : nil
    vector = isDirect ? interrupt.vector : nil
    forwarded = interrupt.forwarded
    changes = interrupt.changes
  }

  /// What the driver tells this user of; none if it cannot be asked.
  public static func all(onDevice device: String) -> [DeviceInterrupt] {
    guard let system = try? System(path: device), Hypervisor(system) == .apus else { return [] }
    return ((try? system.deviceInterrupts()) ?? []).map(DeviceInterrupt.init)
  }

  /// A table of them.
  static func lines(_ interrupts: [DeviceInterrupt]) -> [String] {
    let heading = [
      "PID", "IRQ", "GSI", "VCPU", "VECTOR", "FORWARDED", "CHANGES", "DEVICE INTERRUPT",
    ]
    var table = TextTable(heading, leftColumns: [7])
    table.addRows(
      interrupts.map {
        [
          "\($0.pid)", "\($0.hostIrq)", "\($0.gsi)", $0.vcpu.map { "\($0)" } ?? "-",
          $0.vector.map { "\($0)" } ?? "-", "\($0.forwarded)", "\($0.changes)",
          $0.reason.map { "forwarded: \($0)" } ?? "direct",
        ]
      })
    return table.lines
  }
}

/// What is not known is null.
extension DeviceInterrupt: Encodable {
  private enum CodingKeys: CodingKey {
    case pid, hostIrq, gsi, way, reason, vcpu, vector, forwarded, changes
  }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(pid, forKey: .pid)
    try members.encode(hostIrq, forKey: .hostIrq)
    try members.encode(gsi, forKey: .gsi)
    try members.encode(way, forKey: .way)
    try members.encode(reason, forKey: .reason)
    try members.encode(vcpu, forKey: .vcpu)
    try members.encode(vector, forKey: .vector)
    try members.encode(forwarded, forKey: .forwarded)
    try members.encode(changes, forKey: .changes)
  }
}
