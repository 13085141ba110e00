// SPDX-License-Identifier: Apache-2.0
import Figures
import Foundation

/// The demonstration's figures for the person at the terminal.
struct DemoTable {
  private let columns: [(title: String, column: DemoColumn)]

  init(_ result: DemoResult) {
    columns = [("bare", result.bare), ("kvm", result.kvm), ("apus", result.apus)]
      .compactMap { title, column in column.map { (title, $0) } }
  }

  var description: String {
    var table = TextTable([""] + columns.map(\.title))
    func row(_ title: String, _ cell: (DemoColumn) -> String?) {
      table.addRow([title] + columns.map { cell($0.column) ?? "–" })
    }
    row("boot to user space, s *") { $0.userSpaceSeconds.map { Self.decimal($0, 2) } }
    row("timer") { $0.timerDevice }
    row("exits of the whole run") { $0.wholeRun.map { "\($0.exits)" } }
    row("idle guest: timer ticks") { $0.idle.map { "\($0.ticks)" } }
    row("  exits") { $0.idle.map { "\($0.exits)" } }
    row("  exits per tick") { $0.idle.map { Self.decimal($0.exitsPerTick, 2) } }
    row("cyclictest: timer ticks") { $0.ticks.map { "\($0)" } }
    row("  exits") { $0.exits.map { "\($0)" } }
    for reason in reasons { row("    " + reason) { $0.exitsByReason.map { "\($0[reason] ?? 0)" } } }
    row("  exits per tick") { $0.exitsPerTick.map { Self.decimal($0, 2) } }
    row("  wake-ups") { "\($0.cyclictest.wakeUps)" }
    row("  late, at least, µs *") { "\($0.cyclictest.min)" }
    row("  late, on average, µs *") { "\($0.cyclictest.avg)" }
    row("  late, 99 of 100, µs *") { "\($0.cyclictest.percentile(0.99))" }
    row("  late, at most, µs *") { "\($0.cyclictest.max)" }
    return table.description
  }

  var chart: String {
    HistogramChart(columns.map { ($0.title, $0.column.cyclictest.histogram) }).lines
      .joined(separator: "\n")
  }

  /// Reasons that occurred anywhere while cyclictest ran, the most frequent first.
  private var reasons: [String] {
    var counts: [String: Int] = [:]
    for (_, column) in columns { counts.merge(column.exitsByReason ?? [:], uniquingKeysWith: +) }
    return counts.filter { $0.value > 0 }
      .sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
  }

  private static func decimal(_ value: Double, _ places: Int) -> String {
    String(format: "%.\(places)f", value)
  }
}
