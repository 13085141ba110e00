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
    row("idle guest: timer ticks") { $0.idle.map { "\($0.ticks)" } }
    row("  exits") { $0.idle.map { "\($0.exits)" } }
    row("  exits per tick") { $0.idle.map { Self.decimal($0.exitsPerTick, 2) } }
    row("cyclictest: timer ticks") { $0.ticks.map { "\($0)" } }
    row("  exits") { $0.exits.map { "\($0)" } }
    for reason in reasons(\.exitsByReason) {
      row("    " + reason) { $0.exitsByReason.map { "\($0[reason] ?? 0)" } }
    }
    row("  exits per tick") { $0.exitsPerTick.map { Self.decimal($0, 2) } }
    row("  wake-ups") { "\($0.cyclictest.wakeUps)" }
    row("  late, at least, µs *") { "\($0.cyclictest.min)" }
    row("  late, on average, µs *") { "\($0.cyclictest.avg)" }
    row("  late, 99 of 100, µs *") { "\($0.cyclictest.percentile(0.99))" }
    row("  late, at most, µs *") { "\($0.cyclictest.max)" }
    row("the guest's whole life: exits") { $0.wholeRun.map { "\($0.exits)" } }
    let (frequent, rare) = wholeLifeReasons
    for reason in frequent {
      row("    " + reason) { $0.wholeRun.map { "\($0.exitsByReason[reason] ?? 0)" } }
    }
    if !rare.isEmpty {
      row("    \(rare.count) rarer reasons") { column in
        column.wholeRun.map { run in
          "\(rare.reduce(0) { $0 + (run.exitsByReason[$1] ?? 0) })"
        }
      }
    }
    return table.description
  }

  var chart: String {
    HistogramChart(columns.map { ($0.title, $0.column.cyclictest.histogram) }).lines
      .joined(separator: "\n")
  }

  /// From the first instruction to the power-off, the reasons that make a hundredth of the exits or
  /// more in some column, and the others.
  private var wholeLifeReasons: (frequent: [String], rare: [String]) {
    let runs = columns.compactMap(\.column.wholeRun)
    let reasons = reasons(\.wholeRun?.exitsByReason)
    let isFrequent = { (reason: String) in
      runs.contains { 100 * ($0.exitsByReason[reason] ?? 0) >= $0.exits }
    }
    return (reasons.filter(isFrequent), reasons.filter { !isFrequent($0) })
  }

  /// Reasons that occurred in any column, the most frequent first.
  private func reasons(_ exits: (DemoColumn) -> [String: Int]?) -> [String] {
    var counts: [String: Int] = [:]
    for (_, column) in columns { counts.merge(exits(column) ?? [:], uniquingKeysWith: +) }
    return counts.filter { $0.value > 0 }
      .sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
  }

  private static func decimal(_ value: Double, _ places: Int) -> String {
    String(format: "%.\(places)f", value)
  }
}
