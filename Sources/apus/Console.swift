// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Machine

/// `apus console`: this terminal at a running guest's console.
struct Console: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Attach this terminal to a guest's console.",
    discussion: """
      What the guest wrote last, 64 KiB at most, is shown first. Ctrl-A x leaves the console, not \
      the guest; Ctrl-A Ctrl-A sends Ctrl-A. Several may look, and type, at once. \(Reaching.guests)

      Exit status: 0 left by the user, or the guest ended; 1 it cannot be reached; 64 there is no \
      guest of this name; 128 + N ended by signal N.
      """)

  @Argument(help: "The guest.")
  var name: String

  @Flag(help: "Only show what the guest wrote last.")
  var once = false

  @Flag(help: "The same as JSON.")
  var json = false

  func run() throws {
    var end = AttachedConsole.End.left
    try Reaching.reporting(json: json) { () throws(ControlError) in
      let console = try AttachedConsole(RunningGuests().connect(to: name))
      guard once || json else {
        end = console.run { if $0 { Output.error("apus: Ctrl-A x leaves; the guest goes on") } }
        return
      }
      let bytes = console.scrollback()
      if json { Output.standard(Self.json(name, bytes)) } else { Output.standard(bytes: bytes) }
    }
    switch end {
    case .left: break
    case .guestEnded: Output.error("apus: \(name) has ended")
    case .signal(let number): throw ExitCode(128 + number)
    }
  }

  private static func json(_ name: String, _ bytes: [UInt8]) -> String {
    struct Answer: Encodable {
      let version = 1
      let name: String
      let text: String
    }
    return JSON.text(Answer(name: name, text: String(decoding: bytes, as: UTF8.self)))
  }
}
