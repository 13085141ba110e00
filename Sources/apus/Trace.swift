// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Machine

/// `apus trace`: what the monitor does for a guest, event by event.
struct Trace: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what a guest's CPUs do: each exit, entry, kick, injection and timer.",
    discussion: """
      The monitor writes events only while somebody asks, and the guest runs on meanwhile. A guest in guest mode \
      makes none: its own timer, its interrupts and its sleep are not the monitor's. Where events come faster than \
      they are read, some are lost, and that is said. text and json are lines, as they come; a file of perfetto \
      opens in ui.perfetto.dev and in Chrome. \(Reaching.guests)

      Exit status: 0 traced; 1 the guest cannot be reached or refuses; 64 there is no guest of this name.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, perfetto }

  @Argument(help: "The guest.")
  var name: String

  @Option(help: "For how many seconds.")
  var seconds = 1.0

  @Option(help: "text, json or perfetto.")
  var format = Format.text

  @Option(help: "A file to write to, instead of standard output.")
  var output: String?

  func validate() throws {
    guard seconds > 0, seconds <= 86400 else {
      throw ValidationError("--seconds is above 0 and at most 86400")
    }
  }

  func run() throws {
    guard let output else {
      if format == .text { Output.standard(TraceText.heading) }
      return try trace { Output.standard($0) }
    }
    do {
      let file = try ResultFile(output)
      var lines: [String] = []
      try trace { lines.append($0) }
      try file.write(text: lines.joined(separator: "\n") + "\n")
    } catch let error as SetupError {
      Output.error("apus: \(error)")
      throw ExitCode(1)
    }
  }

  /// What comes, as text of one or more lines; Perfetto's file when all of it is there.
  private func trace(_ show: (String) -> Void) throws {
    var text = TraceText()
    var perfetto = PerfettoTrace(name: name)
    try Reaching.reporting(json: format == .json) { () throws(ControlError) in
      try RunningGuests().connect(to: name).trace(until: .now + .seconds(seconds)) { batch in
        var lines: [String] = []
        switch format {
        case .text: lines = text.lines(of: batch)
        case .json: lines = TraceLine.lines(of: batch)
        case .perfetto: perfetto.add(batch)
        }
        if !lines.isEmpty { show(lines.joined(separator: "\n")) }
        return true
      }
    }
    if format == .perfetto { show(perfetto.text) }
  }
}
