// SPDX-License-Identifier: Apache-2.0
import Figures

/// A run's result as a person reads it.
public struct TextReport {
  private let result: RunResult

  public init(_ result: RunResult) { self.result = result }

  /// Which mode is in effect for each vCPU, and why: a line each, also for those who want no
  /// figures.
  public var modes: [String] {
    result.virtualCPUs.map { cpu in
      let place = cpu.cpu.map { " on CPU \($0)" } ?? ""
      return "vCPU \(cpu.id)\(place) of \(result.device): "
        + "interrupts \(cpu.interrupts.mode) (\(cpu.interrupts.reason)), "
        + "timer \(cpu.timer.mode) (\(cpu.timer.reason)), APIC mode \(cpu.apic.rawValue)"
    }
  }

  /// What the run cost.
  public var cost: [String] {
    [[summary], exits, intervals, cyclictest].filter { !$0.isEmpty }
      .joined(separator: [""]).map { $0 }
  }

  private var summary: String {
    let start = result.report.firstLine.map {
      ", in user space after \(Self.seconds($0))"
    }
    return "\(result.outcome) after \(Self.seconds(result.elapsed))\(start ?? "")"
  }

  private var exits: [String] {
    let exits = result.exits
    guard !exits.byCause.isEmpty else {
      return ["exits: \(result.device) has no counters of them"]
    }
    let rows =
      [("exits of the whole run", exits.total)]
      + exits.happened.map { ("  " + $0.cause, $0.count) }
    let width = rows.map(\.0.count).max() ?? 0
    let digits = "\(exits.total)".count
    return rows.map { Text.left($0.0, width) + "  " + Text.right("\($0.1)", digits) }
  }

  private var intervals: [String] {
    let intervals = result.report.intervals
    guard !intervals.isEmpty else { return [] }
    let heading = ["between marks", "time", "ticks", "exits", "per tick", "of which"]
    let rows = intervals.map { interval in
      let causes = interval.exits.happened.map { "\($0.cause) \($0.count)" }
      return [
        "  \(interval.from) → \(interval.to)", Self.seconds(interval.duration),
        interval.ticks.map { "\($0)" } ?? "-", "\(interval.exits.total)",
        interval.exitsPerTick.map { Text.decimal($0, places: 3) } ?? "-",
        causes.joined(separator: ", "),
      ]
    }
    var table = TextTable(heading, leftColumns: [0, heading.count - 1])
    table.addRows(rows)
    return table.lines
  }

  private var cyclictest: [String] {
    guard let test = result.report.cyclictest else { return [] }
    let late = test.overflows > 0 ? ", \(test.overflows) beyond the histogram" : ""
    let figures =
      "cyclictest: \(test.wakeUps) wake-ups, late by \(test.min) µs at least, "
      + "\(test.avg) µs on average, \(test.max) µs at most\(late)"
    let chart = HistogramChart([("wake-ups", test.histogram)], barWidth: 40)
    return [figures] + chart.lines.map { "  " + $0 }
  }

  private static func seconds(_ duration: Duration) -> String {
    Text.decimal(duration.seconds, places: 3) + " s"
  }
}
