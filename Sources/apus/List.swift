// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Machine

/// `apus ps`: the guests that are running.
struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ps",
    abstract: "List the running guests.",
    discussion: """
      EXITS are those of all vCPUs since the start; INTERRUPTS and TIMER say whether the guest has \
      the hardware itself. Interrupts of devices that a guest of any program has are listed with the \
      way that they take: direct, or forwarded by Linux, and why. \(Reaching.guests)

      Exit status: 0 listed, also when none is running; 1 they cannot be reached.
      """)

  @Flag(help: "Write JSON to standard output.")
  var json = false

  func run() throws {
    try Reaching.reporting(json: json) { () throws(ControlError) in
      let entries = try RunningGuests().list()
      let list = GuestList(
        entries, countOnApus: RunningGuests.count(onDevice: "/dev/apus"),
        deviceInterrupts: DeviceInterrupt.all(onDevice: "/dev/apus"))
      Output.standard(json ? JSON.text(list) : list.lines.joined(separator: "\n"))
    }
  }
}
