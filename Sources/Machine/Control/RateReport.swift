// SPDX-License-Identifier: Apache-2.0

/// `apus top`: what every guest's exits are at the moment.
public struct RateReport {
  private struct Row {
    var entry: RunningGuests.Entry
    /// Nil at the first look.
    var rates: ExitRates?
  }

  private let rows: [Row]

  static let version = 1

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
    return TextTable([heading] + rows.flatMap(Self.cells), leftColumns: [0, 4]).lines
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

  public var json: JSON {
    .object([
      .init("version", .count(Self.version)),
      .init("vms", .array(rows.map(Self.json))),
    ])
  }

  private static func json(_ row: Row) -> JSON {
    let members: [JSON.Member] = [
      .init("name", .string("\(row.entry.name)")),
      .init("state", .string(row.entry.status?.state.rawValue ?? "no-answer")),
    ]
    guard let rates = row.rates else { return .object(members) }
    let virtualCPUs = rates.virtualCPUs.map { cpu in
      JSON.object(
        [.init("id", .count(cpu.id)), .init("cpu", .optional(cpu.cpu) { .count($0) })]
          + cpu.rates.json)
    }
    return .object(
      members + [
        .init("pid", .count(rates.pid)), .init("elapsed_ns", .count(rates.elapsed.nanoseconds)),
      ] + rates.rates.json + [.init("vcpus", .array(virtualCPUs))])
  }
}
