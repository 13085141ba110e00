// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite struct ConformanceTests {
  private let ends = ConformanceColumns.partsThatEnd.map { "checks done \($0)" }

  private func columns(bare: [String], apus: [String]) -> ConformanceColumns {
    ConformanceColumns(["bare.txt": bare, "kvm.txt": [], "apus.txt": apus])
  }

  @Test func whatBareMetalFailsIsNotCounted() {
    let failed = ["check a FAILED got 0x0 expected 0x1", "check b ok"] + ends
    #expect(columns(bare: failed, apus: failed).problems == [])
  }

  @Test func whatOnlyApusFailsIsCounted() {
    let passed = ["check a ok", "check b ok"] + ends
    let failed = ["check a FAILED got 0x0 expected 0x1"] + ends
    #expect(
      columns(bare: passed, apus: failed).problems == [
        "a: FAILED got 0x0 expected 0x1", "b: no answer",
      ])
  }

  @Test func aGuestThatStopsIsCounted() {
    let whole = ["check a ok"] + ends
    #expect(
      columns(bare: whole, apus: Array(whole.dropLast())).problems
        == ["apus did not end operations"])
    #expect(columns(bare: [], apus: whole).problems.count == 2)
  }

  @Test func theTableHasWhatNotAllPass() {
    let measurement = columns(bare: ["check a ok"], apus: ["check a ok"]).measurement
    #expect(measurement.values["apus-passed"] == "1")
    #expect(measurement.table.contains("| a | ok | no answer | ok |"))
  }
}
