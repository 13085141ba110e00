// SPDX-License-Identifier: Apache-2.0
import Figures

/// What `apus latency` measured, and what comes of it.
public struct LatencyReport: Sendable {
  /// Nanoseconds.
  public var interval: UInt64
  public var surroundings: LatencySurroundings
  public var columns: [LatencyColumn]

  public init(interval: UInt64, surroundings: LatencySurroundings, columns: [LatencyColumn]) {
    self.interval = interval
    self.surroundings = surroundings
    self.columns = columns
  }

  public func column(_ way: LatencyColumn.Way) -> LatencyColumn? {
    columns.first { $0.way == way }
  }

  // MARK: The verdict

  /// In a sentence.
  public var verdict: String {
    guard let apus = column(.apus), apus.figures.count > 0 else {
      return "No guest on a lent CPU was measured."
    }
    let most = Self.microseconds(Double(apus.figures.max))
    let judgement =
      switch apus.figures.max {
      case ..<10_000: "good enough for control loops of tens of microseconds"
      case ..<50_000: "good enough for audio and for control loops of a millisecond"
      case ..<1_000_000: "late now and then: read the advice"
      default: "not fit for real time as it is: read the advice"
      }
    var text =
      "On the lent CPU \(cpuName) the latest of \(apus.figures.count) wake-ups was \(most) µs late: \(judgement)."
    if let host = column(.host), host.figures.count > 0 {
      text += " On the host it was \(Self.microseconds(Double(host.figures.max))) µs."
    }
    if surroundings.isGuest {
      text += " This machine is itself a guest or emulated: these are not a processor's figures."
    }
    return text
  }

  private var cpuName: String { "\(surroundings.cpu)" }

  /// What could be done, each in a sentence or two.
  public var advice: [String] {
    var advice: [String] = []
    if let smi = column(.apus)?.managementInterrupts ?? column(.host)?.managementInterrupts, smi > 0
    {
      advice.append(
        "\(smi) system management interrupts came meanwhile. No software can hold them off: look for USB legacy "
          + "support, power management and memory scrubbing in the firmware's setup.")
    } else if columns.allSatisfy({ $0.managementInterrupts == nil }), !surroundings.isGuest {
      advice.append(
        "System management interrupts were not counted: as root, `modprobe msr` (Intel's processors count them)."
      )
    }
    if !surroundings.siblings.isEmpty {
      advice.append(
        "CPU \(surroundings.siblings.map(String.init).joined(separator: ", ")) is another thread of the same core, and "
          + "takes from its time: lend it as well, or take it offline.")
    }
    let deep = surroundings.sleepStates.filter { !$0.isDisabled && $0.exitLatency > 10 }
    if !deep.isEmpty {
      advice.append(
        "On the host the CPU may sleep in \(deep.map { "\($0.name) (\($0.exitLatency) µs)" }.joined(separator: ", ")). "
          + "A guest's HLT goes no deeper than the firmware lets it: boot with processor.max_cstate=1, or switch C1E off "
          + "there, if a lent CPU is slow to wake up.")
    }
    if let governor = surroundings.governor, governor != "performance" {
      advice.append(
        "The CPU's frequency is `\(governor)`'s. `cpupower frequency-set -g performance` before it is lent fixes what it "
          + "is lent with.")
    }
    if let host = column(.host), host.figures.max > 100_000 {
      advice.append(
        surroundings.isIsolated
          ? "The host's own thread was late although its CPU is isolated."
          : "The host's own thread shares its CPU with \(surroundings.interrupts) interrupts and all other tasks: "
            + "isolcpus= and nohz_full= help on the host. A lent CPU needs neither.")
    }
    for column in columns {
      for shortcoming in column.shortcomings { advice.append("\(column.title): \(shortcoming).") }
    }
    return advice
  }

  // MARK: As text

  public var lines: [String] {
    var table = TextTable([""] + columns.map(\.title))
    table.addRows(rows)
    let chart = HistogramChart(
      columns.map { column in
        (
          column.title,
          Dictionary(
            column.figures.counts.map { ($0 / 1000, $1) }, uniquingKeysWith: +)
        )
      })
    return table.description.split(separator: "\n").map(String.init) + [""] + chart.lines + [
      "", verdict,
    ]
      + advice.map { "- " + $0 }
  }

  private var rows: [[String]] {
    func row(_ name: String, _ cell: (LatencyColumn) -> String) -> [String] {
      [name] + columns.map(cell)
    }
    return [
      row("wake-ups") { "\($0.figures.count)" },
      row("late, at least, µs") { Self.microseconds(Double($0.figures.min)) },
      row("late, on average, µs") { Self.microseconds($0.figures.mean) },
      row("late, 99 of 100, µs") { Self.microseconds(Double($0.figures.percentile(99))) },
      row("late, 999 of 1000, µs") { Self.microseconds(Double($0.figures.percentile(99.9))) },
      row("late, at most, µs") { Self.microseconds(Double($0.figures.max)) },
      row("exits") { $0.exits.map { "\($0)" } ?? "–" },
      row("management interrupts") { $0.managementInterrupts.map { "\($0)" } ?? "not counted" },
      row("timer") { $0.timer },
    ]
  }

  static func microseconds(_ nanoseconds: Double) -> String {
    Text.decimal(nanoseconds / 1000, places: 2)
  }

  // MARK: As a document

  public var document: Document {
    var document = Document(
      title: "Wake-up latency of CPU \(cpuName)",
      lead: verdict)
    let facts: [[String]] = [
      [
        "another thread of the core, online",
        surroundings.siblings.map(String.init).joined(separator: ", "),
      ],
      ["frequency's governor", surroundings.governor ?? "not known"],
      [
        "frequency, kHz",
        surroundings.currentFrequency.map { "\($0) of \(surroundings.highestFrequency ?? 0)" }
          ?? "not known",
      ],
      [
        "sleep states",
        surroundings.sleepStates.map {
          "\($0.name) \($0.exitLatency) µs\($0.isDisabled ? " (off)" : "")"
        }
        .joined(separator: ", "),
      ],
      ["interrupts of devices that Linux may bring here", "\(surroundings.interrupts)"],
      ["isolated from Linux's scheduler", surroundings.isIsolated ? "yes" : "no"],
      ["a guest itself, or emulated", surroundings.isGuest ? "yes" : "no"],
    ]
    document.sections = [
      .init(
        "Measured",
        [
          .cards(
            columns.map {
              .init(
                $0.title, "\(Self.microseconds(Double($0.figures.max))) µs",
                beside: "the latest of \($0.figures.count)")
            }),
          .histogram(
            HistogramPlot(
              "Wake-ups by delay, on logarithmic axes; a dashed line is the latest", unit: "ns",
              lines: columns.map {
                .init($0.series, $0.title, counts: $0.figures.counts, most: Int($0.figures.max))
              })),
          .table(
            .init(
              "One wake-up each \(Self.microseconds(Double(interval))) µs",
              heading: [""] + columns.map(\.title), rows: rows)),
          .notes([
            "The host's loop is a thread with real-time priority that sleeps until a moment (clock_nanosleep), as "
              + "cyclictest's does. The guest's is an interrupt handler and HLT: there is no kernel in the guest. Each ran "
              + "alone on the same CPU, one after the other."
          ]),
        ]),
      .init("Advice", advice.isEmpty ? [.text("Nothing stands out.")] : [.notes(advice)]),
      .init(
        "The machine",
        [
          .table(
            .init(
              "As it was before the CPU was lent", heading: ["", ""], rows: facts,
              leftColumns: [0, 1]))
        ]),
    ]
    return document
  }
}

extension LatencyReport: Encodable {
  private enum CodingKeys: CodingKey {
    case version, intervalNs, machine, measured, verdict, advice
  }

  private struct Measured: Encodable {
    let way: String
    let cpu: Int
    let timer: String
    let wakeUps: Int
    let minNs, maxNs, p99Ns, p999Ns: UInt64
    let meanNs: Double
    let exits: UInt64?
    let managementInterrupts: UInt64?
    let shortcomings: [String]
    /// Three digits of each delay, in nanoseconds, and how often it came.
    let histogram: [String: Int]
  }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(1, forKey: .version)
    try members.encode(interval, forKey: .intervalNs)
    try members.encode(surroundings, forKey: .machine)
    try members.encode(
      columns.map { column in
        let figures = column.figures
        return Measured(
          way: column.way.rawValue, cpu: column.cpu, timer: column.timer, wakeUps: figures.count,
          minNs: figures.min, maxNs: figures.max, p99Ns: figures.percentile(99),
          p999Ns: figures.percentile(99.9), meanNs: figures.mean.roundedToThousandths,
          exits: column.exits, managementInterrupts: column.managementInterrupts,
          shortcomings: column.shortcomings,
          histogram: Dictionary(uniqueKeysWithValues: figures.counts.map { ("\($0)", $1) }))
      }, forKey: .measured)
    try members.encode(verdict, forKey: .verdict)
    try members.encode(advice, forKey: .advice)
  }
}
