// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("The end of a run")
struct RunOutcomeTests {
  private static let failure = GuestFailure(
    virtualCPU: 1, reason: "triple fault", registers: [.init(name: "rip", value: 0xfff0)],
    lastExits: [.init(code: 0x7f, instructionPointer: 0x1000, information: 2)])

  static let statuses: [(RunOutcome, Int32)] = [
    (.poweredOff, 0), (.quit, 0), (.hostFailed("x"), 1), (.guestFailed(failure), 2), (.reset, 3),
    (.signal(2), 130), (.signal(15), 143),
  ]

  @Test("decides the exit status", arguments: statuses)
  func status(outcome: RunOutcome, status: Int32) { #expect(outcome.exitStatus == status) }

  @Test("is what happened first")
  func first() {
    let control = RunControl()
    #expect(control.outcome == nil)
    control.finish(.poweredOff)
    control.finish(.reset)
    #expect(control.outcome == .poweredOff)
  }

  @Test("by the guest's own fault is reported with reason, registers and last exits")
  func failureReport() {
    let lines = FailureReport(Self.failure).lines
    #expect(lines[0] == "the guest ended itself on vCPU 1: triple fault")
    #expect(lines[1] == "      rip 000000000000fff0")
    #expect(lines.last == "    code 0x7f at 0x1000, information 0x2")
  }
}
