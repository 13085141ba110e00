// SPDX-License-Identifier: Apache-2.0
import Figures

/// `apus top`: what every guest's exits are at the moment.
public struct RateReport {
  private struct Row {
    var entry: RunningGuests.Entry
    /// Nil at the first look.
    var rates: ExitRates?
  }

  private let rows: [Row]

  /// From two looks, the newer one second.
  public init(from earlier: [RunningGuests.Entry], to later: [RunningGuests.Entry]) {
    let before = Dictionary(
      earlier.map { ($0.name, $0.status) }, uniquingKeysWith: { first, _ in first })
    rows = later.map { entry in
      guard let now = entry.status, let then = before[entry.name] ?? nil else {
        return Row(entry: entry)
      }
      return Row(entry: entry, rates: ExitRates(from: then, to: now))
    }
  }

  /// A guest with several vCPUs has a line for all, and one for each.
  public var lines: [String] {
    guard !rows.isEmpty else { return ["no guest is running"] }
    let heading = ["NAME", "VCPU", "CPU", "EXITS/S", "BY CAUSE"]
    var table = TextTable(heading, leftColumns: [0, 4])
    table.addRows(rows.flatMap(Self.cells))
    return table.lines
  }

  private static func cells(_ row: Row) -> [[String]] {
    let name = "\(row.entry.name)"
    guard let status = row.entry.status else { return [[name, "-", "-", "-", "does not answer"]] }
    guard let rates = row.rates else {
      let cpus = status.cpus.isEmpty ? "-" : "\(CPUList(status.cpus))"
      return [[name, "-", cpus, "-", status.state == .running ? "" : status.state.rawValue]]
    }
    let each = rates.virtualCPUs.map { cpu in
      [name, "\(cpu.id)", cpu.cpu.map { "\($0)" } ?? "-"] + cells(cpu.rates)
    }
    guard each.count > 1 else { return each }
    let cpus = status.cpus.isEmpty ? "-" : "\(CPUList(status.cpus))"
    return [[name, "all", cpus] + cells(rates.rates)]
      + each.map { [""] + $0.dropFirst() }
  }

  private static func cells(_ rates: ExitRates.Counted) -> [String] {
    let causes = rates.byCause.map { "\($0.name) \(Text.decimal($0.perSecond, places: 1))" }
    return [Text.decimal(rates.total, places: 1), causes.joined(separator: ", ")]
  }
}

extension RateReport: Encodable {
  private enum CodingKeys: CodingKey { case version, vms }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(1, forKey: .version)
    try members.encode(rows.map(Guest.init), forKey: .vms)
  }

  /// At the first look at a guest there are no rates, and no members for them.
  private struct Guest: Encodable {
    let name: GuestName
    let state: String
    var pid: Int32?
    var elapsedNs: Int64?
    var exitsPerSecond: Double?
    var exitsPerSecondByReason: [String: Double]?
    var vcpus: [VirtualCPU]?

    init(_ row: Row) {
      name = row.entry.name
      state = row.entry.status?.state.rawValue ?? "no-answer"
      guard let rates = row.rates else { return }
      pid = rates.pid
      elapsedNs = rates.elapsed.nanoseconds
      exitsPerSecond = rates.rates.total.roundedToThousandths
      exitsPerSecondByReason = rates.rates.members
      vcpus = rates.virtualCPUs.map {
        VirtualCPU(
          id: $0.id, cpu: $0.cpu, exitsPerSecond: $0.rates.total.roundedToThousandths,
          exitsPerSecondByReason: $0.rates.members)
      }
    }
  }

  private struct VirtualCPU: Encodable {
    let id: Int
    @OrNull var cpu: Int?
    let exitsPerSecond: Double
    let exitsPerSecondByReason: [String: Double]
  }
}

extension ExitRates.Counted {
  fileprivate var members: [String: Double] {
    Dictionary(
      byCause.map { ($0.name, $0.perSecond.roundedToThousandths) },
      uniquingKeysWith: { first, _ in first })
  }
}
