// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Machine

/// `apus stop`: the power button of a running guest.
struct Stop: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Ask a guest to power off, and wait until it has.",
    discussion: """
      The guest sees its ACPI power button pressed. Debian's systemd then powers off; a small \
      guest may have nobody who heeds it. When it has ended, the host has its CPUs back. \
      \(Reaching.guests)

      Exit status: 0 the guest has ended; 1 it cannot be reached; 2 it goes on; 64 there is no \
      guest of this name.
      """)

  @Argument(help: "The guest.")
  var name: String

  @Option(help: "Seconds to wait.")
  var timeout = 30.0

  @Flag(help: "Then end the guest as SIGTERM to its process does.")
  var force = false

  @Flag(help: "Write JSON to standard output.")
  var json = false

  func validate() throws {
    guard timeout >= 0, timeout <= 86_400 else {
      throw ValidationError("--timeout is 0 to 86400 seconds")
    }
  }

  func run() throws {
    var hasEnded = true
    try Reaching.reporting(json: json) { () throws(ControlError) in
      let stop = GuestStop(try RunningGuests().connect(to: name))
      let result = try stop.pressButton(patience: .seconds(timeout))
      if force, case .goesOn = result {
        hasEnded = report(try stop.force(), isForced: true)
      } else {
        hasEnded = report(result, isForced: false)
      }
    }
    if !hasEnded { throw ExitCode(2) }
  }

  /// Whether it has ended.
  private func report(_ result: GuestStop.Outcome, isForced: Bool) -> Bool {
    let text = text(result, isForced: isForced)
    var answer = Answer(name: name, message: text, ended: true)
    switch result {
    case .ended(let end):
      answer.forced = isForced
      answer.outcome = end.outcome
      answer.exitStatus = end.exitStatus
    case .vanished: answer.forced = isForced
    case .goesOn(let isListening):
      answer.ended = false
      answer.listensToButton = isListening
    }
    if json {
      Output.standard(JSON.text(answer))
    } else if answer.ended {
      Output.standard(text)
    } else {
      Output.error("apus: \(text)")
    }
    return answer.ended
  }

  /// Members that mean nothing for what became of the guest are left out.
  private struct Answer: Encodable {
    let version = 1
    let name: String
    let message: String
    var ended: Bool
    var forced: Bool?
    var outcome: String?
    var exitStatus: Int32?
    var listensToButton: Bool?
  }

  private func text(_ result: GuestStop.Outcome, isForced: Bool) -> String {
    switch result {
    case .ended(let end): "\(name): \(end.message)"
    case .vanished: "\(name): its process went without a word"
    case .goesOn where isForced:
      "\(name) goes on, although it was told to end: `kill -9` its process, see `apus ps`"
    case .goesOn(isListening: true):
      "\(name) goes on; its power button was pressed: wait longer with --timeout, see what it does "
        + "with `apus console \(name)`, or end it with --force"
    case .goesOn(isListening: false):
      "\(name) goes on: it has no driver for its power button (Linux: modprobe button); power off "
        + "in it with `apus console \(name)`, or end it with --force"
    }
  }
}
