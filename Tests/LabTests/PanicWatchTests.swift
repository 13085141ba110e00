// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite("A guest after its host's panic")
struct PanicWatchTests {
  private func watch(_ lines: [String], panicAfter count: Int) -> PanicWatch {
    var watch = PanicWatch(seconds: 2)
    for line in lines.prefix(count) { watch.guestWrote(line) }
    watch.hostWrote("[   17.6] Kernel panic - not syncing: sysrq triggered crash")
    for line in lines.dropFirst(count) { watch.guestWrote(line) }
    return watch
  }

  private let lines = (1...6).map { "[    \($0).520094] guest: line \($0) at \($0).40 s" }

  @Test("Only what the guest writes after the panic counts")
  func afterPanic() {
    #expect(!watch(lines, panicAfter: 4).isOver)
    #expect(watch(lines, panicAfter: 3).isOver)
    #expect(
      watch(lines, panicAfter: 3).report == [
        "value guest-after-panic 2.0 s, 3 lines, 0 of them missing",
        "pass guest-outlives-panic 2.0 s, 3 lines, 0 of them missing",
      ])
  }

  @Test("A line that is missing is a failure")
  func missing() {
    let report = watch([0, 2, 3, 5].map { lines[$0] }, panicAfter: 1).report
    #expect(report.last == "fail guest-outlives-panic 3.0 s, 4 lines, 1 of them missing")
  }

  @Test("A guest that falls silent has not gone on")
  func silence() {
    #expect(
      watch(lines, panicAfter: 6).report.last
        == "fail guest-outlives-panic 0.0 s, 0 lines, 0 of them missing")
  }

  @Test("With a crash kernel, the watch waits for it, and only the one after the panic counts")
  func crashKernel() {
    let inUserSpace = "guest: in user space 2.21 s after its start"
    var watch = PanicWatch(seconds: 2, crashKernel: true)
    watch.hostWrote(inUserSpace)
    watch.hostWrote("[   17.6] Kernel panic - not syncing: sysrq triggered crash")
    for line in lines { watch.guestWrote(line) }
    #expect(!watch.isOver)
    #expect(!watch.report.contains("pass crash-kernel-runs"))
    watch.hostWrote(inUserSpace)
    #expect(watch.isOver)
    #expect(watch.report.contains("pass crash-kernel-runs"))
    #expect(watch.report.contains("pass guest-outlives-panic 5.0 s, 6 lines, 0 of them missing"))
  }

  @Test("Without a panic there is nothing to say")
  func noPanic() {
    var watch = PanicWatch(seconds: 2)
    let ended1 = watch.guestWrote(lines[0])
    #expect(!ended1)
    #expect(watch.report.isEmpty)
  }
}
