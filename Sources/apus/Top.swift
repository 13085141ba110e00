// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Glibc
import Machine

/// `apus top`: exits a second, live.
struct Top: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show exits per second, by cause.",
    discussion: """
      On a terminal the page is drawn in place; q or Ctrl-C leaves. Elsewhere each look is a block \
      of lines, or with --json a line. Looking costs a guest nothing. \(Reaching.guests)

      Exit status: 0 left by the user; 1 guests cannot be reached, or the one named has ended; \
      64 there is no guest of this name.
      """)

  @Argument(help: "The guest; without it: all.")
  var name: String?

  @Option(help: "Seconds between two looks.")
  var interval = 2.0

  @Flag(help: "Look twice, print once and end.")
  var once = false

  @Flag(help: "Write JSON to standard output.")
  var json = false

  func validate() throws {
    guard interval >= 0.1, interval <= 3600 else {
      throw ValidationError("--interval is 0.1 to 3600 seconds")
    }
  }

  func run() throws {
    try Reaching.reporting(json: json) { () throws(ControlError) in
      if !once, !json, let screen = LiveScreen() {
        try show(on: screen)
      } else {
        try print()
      }
    }
  }

  private func show(on screen: LiveScreen) throws(ControlError) {
    let guests = RunningGuests()
    var earlier: [RunningGuests.Entry] = []
    while true {
      let later = try guests.list(name)
      let report = RateReport(from: earlier, to: later)
      earlier = later
      let time = interval == interval.rounded() ? "\(Int(interval))" : "\(interval)"
      let page = ["apus top: every \(time) s, q leaves", ""] + report.lines
      var event = LiveScreen.Event.resized
      while event == .resized {
        screen.show(page)
        event = screen.wait(.seconds(interval))
      }
      if event == .leave { return }
    }
  }

  private func print() throws(ControlError) {
    let guests = RunningGuests()
    var earlier = try guests.list(name)
    while true {
      usleep(UInt32(interval * 1e6))
      let later = try guests.list(name)
      let report = RateReport(from: earlier, to: later)
      earlier = later
      if once { return Output.standard(json ? JSON.text(report) : text(report)) }
      Output.standard(json ? JSON.line(report) : text(report) + "\n")
    }
  }

  private func text(_ report: RateReport) -> String { report.lines.joined(separator: "\n") }
}
