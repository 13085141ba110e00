// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Glibc
import Machine

/// `apus latency`: how late a guest on a lent CPU wakes up, and how late the host does.
struct Latency: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how late wake-ups come: on the host, on KVM and on a lent CPU.",
    discussion: """
      Each sleeps until a moment, again and again, alone on the CPU and one after the other. The guest is a few hundred \
      bytes that this program carries. Says what of the machine makes wake-ups late, and what can be done.

      Exit status: 0 measured, 1 the host failed, 64 the request cannot be met.
      """)

  @Option(help: "The CPU; not 0, which is Linux's.")
  var cpu: Int

  @Option(help: "Seconds of each measurement.")
  var seconds = 10.0

  @Option(help: "Microseconds from one wake-up to the next.")
  var interval = 1000

  @Option(
    help:
      "What to measure, of host, kvm and apus, separated by commas; all that this machine has if not said."
  )
  var ways: String?

  @Option(help: "The driver's device.")
  var device = "/dev/apus"

  @Option(help: "A file for the figures, as JSON.")
  var json: String?

  @Option(help: "A file for the report, as one HTML page.")
  var html: String?

  func validate() throws {
    guard seconds > 0, seconds <= 86400 else {
      throw ValidationError("--seconds is above 0 and at most 86400")
    }
    guard interval >= 50, interval <= 1_000_000 else {
      throw ValidationError("--interval is 50 to 1000000 microseconds")
    }
    guard cpu > 0 else { throw ValidationError("CPU 0 cannot be lent: name another") }
    _ = try wanted()
  }

  private func wanted() throws -> [LatencyColumn.Way] {
    guard let ways else {
      return [.host] + (access("/dev/kvm", R_OK | W_OK) == 0 ? [.kvm] : []) + [.apus]
    }
    return try ways.split(separator: ",").map { name in
      guard let way = LatencyColumn.Way(rawValue: String(name)) else {
        throw ValidationError("--ways \(ways): expected some of host, kvm and apus")
      }
      return way
    }
  }

  func run() throws {
    do {
      let jsonFile = try json.map { path in try ResultFile(path) }
      let htmlFile = try html.map { path in try ResultFile(path) }
      let isLive = isatty(STDERR_FILENO) == 1
      let report = try LatencyRun(
        cpu: cpu, device: device, duration: .seconds(seconds), interval: UInt64(interval) * 1000,
        ways: try wanted()
      ).run { column in
        if isLive { show(column) }
        return true
      }
      if isLive { Output.error("\u{1b}[2K") }
      Output.standard(report.lines.joined(separator: "\n"))
      try jsonFile?.write(text: JSON.text(report) + "\n")
      try htmlFile?.write(text: HTMLPage(report.document).text)
      if report.columns.contains(where: { $0.figures.count == 0 }) { throw ExitCode(1) }
    } catch let error as SetupError {
      Output.error("apus: \(error)")
      throw ExitCode(error.isUsage ? 64 : 1)
    }
  }

  /// On the same line of the terminal each time.
  private func show(_ column: LatencyColumn) {
    let figures = column.figures
    let microseconds = { (value: UInt64) in Text.decimal(Double(value) / 1000, places: 1) }
    Output.live(
      "\(column.title): \(figures.count) wake-ups, now \(microseconds(figures.newest)), at least "
        + "\(microseconds(figures.min)), at most \(microseconds(figures.max)) µs late")
  }
}
