// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite struct ReportTests {
  @Test("Lines of a report become values, checks, files and a status")
  func parse() {
    let report = Report(parsing: [
      "step boot the guest", "value free-pages 123 456", "pass cpu-back",
      "fail memory 3 pages gone",
      "file a.json {", "file a.json   \"x\": 1", "file a.json ", "file a.json }", "done 0",
    ])
    #expect(report.steps == ["boot the guest"])
    #expect(report.values == ["free-pages": "123 456"])
    #expect(report.checks.map(\.name) == ["cpu-back", "memory"])
    #expect(report.checks.map(\.passed) == [true, false])
    #expect(report.checks[1].detail == "3 pages gone")
    #expect(report.text(of: "a.json") == "{\n  \"x\": 1\n\n}")
    #expect(report.status == 0)
    #expect(report.unknown.isEmpty)
  }

  @Test("A script that never ended has no status")
  func unfinished() { #expect(Report(parsing: ["pass x"]).status == nil) }

  @Test("A damaged line is kept as such")
  func damaged() { #expect(Report(parsing: ["alue x 1"]).unknown == ["alue x 1"]) }

  @Test("Lines are cut across reads and lose their carriage returns")
  func splitting() {
    var splitter = LineSplitter()
    #expect(splitter.append(Array("pass a\r\npa".utf8)) == ["pass a"])
    #expect(splitter.append(Array("ss b\n\nrest".utf8)) == ["pass b", ""])
  }

  @Test("QEMU's known abort is told from other failures")
  func abort() {
    let known = """
      ERROR:../../accel/tcg/tcg-accel-ops.c:99:tcg_handle_interrupt: assertion failed: (bql_locked())
      """
    #expect(MachineRun.isKnownAbort(known))
    #expect(!MachineRun.isKnownAbort("qemu-system-x86_64: could not load kernel"))
  }

  @Test("An emulated CPU is recognised by its thread's name")
  func threads() {
    #expect(EmulatorThreads.cpuNumber(ofThread: "CPU 3/TCG\n") == 3)
    #expect(EmulatorThreads.cpuNumber(ofThread: "qemu-system-x86\n") == nil)
  }
}
