// SPDX-License-Identifier: Apache-2.0
import Figures

/// `apus ps`: the running guests, as a person and as programs read them.
public struct GuestList {
  private let entries: [RunningGuests.Entry]
  /// Guests on `/dev/apus` that are not among them: other users', or other programs'. Nil: the
  /// driver could not be asked.
  private let others: Int?
  /// Also those of other programs' guests.
  private let interrupts: [DeviceInterrupt]

  /// `count` is that of the driver.
  public init(
    _ entries: [RunningGuests.Entry], countOnApus count: Int?,
    deviceInterrupts: [DeviceInterrupt] = []
  ) {
    self.entries = entries
    interrupts = deviceInterrupts
    let own = entries.filter { $0.status?.hypervisor == .apus }.count
    others = count.map { max(0, $0 - own) }
  }

  public var lines: [String] {
    var lines: [String] = []
    if entries.isEmpty {
      lines.append("no guest is running")
    } else {
      let heading = [
        "NAME", "PID", "DEVICE", "CPUS", "VCPUS", "MEMORY", "UPTIME", "EXITS", "INTERRUPTS",
        "TIMER",
      ]
      var table = TextTable(heading, leftColumns: [0, 2, 3, 8, 9])
      table.addRows(entries.map(Self.row))
      lines += table.lines
    }
    if let others, others > 0 {
      lines.append(
        "The driver also runs \(others) \(others == 1 ? "guest" : "guests") of other clients.")
    }
    if !interrupts.isEmpty { lines += [""] + DeviceInterrupt.lines(interrupts) }
    return lines
  }

  private static func row(_ entry: RunningGuests.Entry) -> [String] {
    guard let status = entry.status else {
      return ["\(entry.name)"] + [String](repeating: "-", count: 8) + ["(does not answer)"]
    }
    let cpus = status.cpus.isEmpty ? "-" : "\(CPUList(status.cpus))"
    let isRunning = status.state == .running
    return [
      "\(status.name)", "\(status.pid)", status.device, cpus, "\(status.virtualCPUs.count)",
      "\(MemorySize(bytes: status.memory))",
      isRunning ? text(status.uptime) : status.state.rawValue,
      isRunning ? "\(status.exits.total)" : "-",
      text(status.virtualCPUs.map(\.interrupts)), text(status.virtualCPUs.map(\.timer)),
    ]
  }

  /// One word if all vCPUs are alike.
  private static func text(_ modes: [VirtualCPUResult.Mode?]) -> String {
    let direct = modes.filter { $0?.isDirect ?? false }.count
    guard modes.contains(where: { $0 != nil }) else { return "-" }
    return direct == modes.count
      ? "direct" : direct == 0 ? "emulated" : "direct on \(direct) of \(modes.count)"
  }

  /// Two units at most: `4 s`, `2 min 5 s`, `3 h 10 min`, `12 d 4 h`.
  static func text(_ duration: Duration) -> String {
    let seconds = duration.nanoseconds / 1_000_000_000
    let units: [(name: String, seconds: Int64)] = [
      ("d", 86_400), ("h", 3600), ("min", 60), ("s", 1),
    ]
    for (unit, next) in zip(units, units.dropFirst()) where seconds >= unit.seconds {
      let rest = seconds % unit.seconds / next.seconds
      return "\(seconds / unit.seconds) \(unit.name) \(rest) \(next.name)"
    }
    return "\(seconds) s"
  }
}

extension GuestList: Encodable {
  private enum CodingKeys: CodingKey { case version, vms, otherClientsVms, deviceInterrupts }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(1, forKey: .version)
    try members.encode(entries, forKey: .vms)
    try members.encode(others, forKey: .otherClientsVms)
    try members.encode(interrupts, forKey: .deviceInterrupts)
  }
}
