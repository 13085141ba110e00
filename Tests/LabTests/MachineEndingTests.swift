// SPDX-License-Identifier: Apache-2.0
import Subprocess
import Testing

@testable import Lab

@Suite("How an emulated machine ended")
struct MachineEndingTests {
  private func ending(
    _ status: TerminationStatus, lines: [String] = [], console: [String] = []
  ) -> MachineEnding {
    var report = Report(parsing: lines)
    report.console = console
    return MachineEnding(status, report: report, isKnownAbort: false)
  }

  @Test("The script's own end is the usual one")
  func script() {
    #expect(ending(.exited(0), lines: ["done 3"]) == .script(status: 3))
  }

  @Test(
    "An emulator that a signal killed is told from a host that panicked",
    arguments: [TerminationStatus.signaled(11), .exited(139)])
  func emulatorKilled(status: TerminationStatus) {
    let ending = ending(status, console: ["Kernel panic - not syncing: none of it"])
    #expect(ending == .emulatorKilled(signal: 11))
    #expect(ending.isFaultOfEmulator)
    #expect(ending.name == "emulator-killed")
    #expect(ending.description.contains("signal 11 (Segmentation fault)"))
  }

  @Test("A host that panicked is quoted")
  func hostPanicked() {
    let words = "[    9.1] Kernel panic - not syncing: panic_on_warn set ..."
    let ending = ending(.exited(0), console: ["...", words])
    #expect(ending == .hostPanicked(words))
    #expect(!ending.isFaultOfEmulator)
  }

  @Test("timeout(1) ends a machine with 124, and kills one that goes on all the same")
  func timedOut() {
    #expect(ending(.exited(124), lines: ["done 0"]) == .timedOut)
    #expect(ending(.signaled(9)) == .timedOut)
    #expect(ending(.exited(137)) == .timedOut)
  }

  @Test("Power-off before the script's end says that nothing is known")
  func poweredOff() {
    #expect(ending(.exited(0)) == .poweredOff)
  }
}
