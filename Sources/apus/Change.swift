// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Machine

/// `apus set`: changes how a running guest is run.
struct Change: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Change how a guest is run, while it runs.",
    discussion: """
      `--timer direct` gives the guest the local APICs of its CPUs, timers and all; `monitor` and \
      `preemption` emulate them, as where a guest cannot have them. No interrupt is lost by the \
      change. `apus ps --json` says what is in force. \(Reaching.guests)

      Exit status: 0 changed; 1 the guest cannot be reached, or its processor has no such timer; \
      64 there is no such guest.
      """)

  @Argument(help: "The guest.")
  var name: String

  @Option(help: "Who keeps its APIC timers: direct, monitor or preemption.")
  var timer: TimerChoice

  func run() throws {
    try Reaching.reporting(json: false) { () throws(ControlError) in
      try RunningGuests().connect(to: name).setTimer(timer)
    }
  }
}

extension TimerChoice: ExpressibleByArgument {}
