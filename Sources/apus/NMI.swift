// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Machine

/// `apus nmi`: a non-maskable interrupt for a running guest.
struct NMI: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Send a non-maskable interrupt to a guest.",
    discussion: """
      What comes of it is the guest's affair: Linux notes it in its log, or panics with \
      unknown_nmi_panic, which shows where a guest hangs. \(Reaching.guests)

      Exit status: 0 sent; 1 the guest cannot be reached; 64 there is no such guest or vCPU.
      """)

  @Argument(help: "The guest.")
  var name: String

  @Option(help: "The vCPU.")
  var vcpu = 0

  @Flag(help: "Write JSON to standard output.")
  var json = false

  func validate() throws {
    guard vcpu >= 0 else { throw ValidationError("--vcpu is 0 or more") }
  }

  func run() throws {
    try Reaching.reporting(json: json) { () throws(ControlError) in
      try RunningGuests().connect(to: name).sendNMI(virtualCPU: vcpu)
      if json { Output.standard(JSON.text(Answer(name: name, vcpu: vcpu))) }
    }
  }

  private struct Answer: Encodable {
    let version = 1
    let name: String
    let vcpu: Int
  }
}
