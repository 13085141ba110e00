// SPDX-License-Identifier: Apache-2.0
import Figures
import Foundation
import Testing

@testable import Lab

@Suite struct DemoTests {
  /// What `apus run --json` writes, cut to what the lab reads, with figures of the caller's.
  private func report(
    ticks: Int = 6000, exits: Int = 0, idleExits: Int = 0, apic: String = "x2apic",
    timer: String = "direct", lastMark: String = "end"
  ) -> String {
    """
    {
      "version": 1, "outcome": "powered-off", "message": "the guest powered off",
      "elapsed_ns": 20000000000, "user_space_ns": 2500400000, "exits": 500,
      "exits_by_reason": {"io-client": 500, "hlt": 0},
      "vcpus": [{"id": 0, "cpu": 3, "apic_mode": "\(apic)",
        "interrupts": {"mode": "direct", "reason": "r"},
        "timer": {"mode": "\(timer)", "reason": "t"}}],
      "intervals": [
        {"from": "idle-begin", "to": "idle-end", "duration_ns": 3000000000, "ticks": 30,
          "exits": \(idleExits), "exits_by_reason": {"hlt": \(idleExits)}},
        {"from": "begin", "to": "\(lastMark)", "duration_ns": 5000000000, "ticks": \(ticks),
          "exits": \(exits), "exits_by_reason": {"hlt": \(exits)}}],
      "cyclictest": {"wake_ups": 5000, "min": 5, "avg": 6, "max": 90, "overflows": 1,
        "histogram": {"5": 4000, "7": 999}}
    }
    """
  }

  private func column(_ report: String) throws -> DemoColumn {
    try DemoColumn(try GuestRun(json: report))
  }

  private func failed(_ column: DemoColumn) -> [String] {
    DemoVerdict.checks(apus: column).filter { !$0.passed }.map(\.name)
  }

  @Test("A guest's report becomes the figures of a column")
  func figures() throws {
    let column = try column(report(exits: 15_000, idleExits: 90))
    #expect(column.exitsPerTick == 2.5)
    #expect(column.exitsByReason == ["hlt": 15_000])
    #expect(column.idle?.exitsPerTick == 3)
    #expect(column.userSpaceSeconds == 2.5)
    #expect(column.cyclictest.wakeUps == 5000)
    #expect(column.cyclictest.histogram == [5: 4000, 7: 999])
    #expect(column.wholeRun?.exits == 500)
  }

  @Test("A guest that never set its marks has no figures")
  func noMarks() { #expect(throws: LabError.self) { try column(report(lastMark: "other")) } }

  @Test("Two exits in all are no exit per tick, one in a hundred is")
  func exitsPerTick() throws {
    #expect(try failed(column(report(exits: 2, idleExits: 2))) == [])
    #expect(try failed(column(report(exits: 60))) == ["apus-no-exit-per-tick"])
    #expect(try failed(column(report(idleExits: 3))) == ["apus-no-exit-per-idle-tick"])
  }

  @Test("A guest without x2APIC, with an emulated timer, or whose timer stood still fails")
  func modes() throws {
    #expect(try failed(column(report(apic: "xapic"))) == ["apus-x2apic"])
    #expect(try failed(column(report(timer: "emulated"))) == ["apus-direct-timer"])
    #expect(try failed(column(report(ticks: 100))) == ["apus-ticks-counted"])
  }

  @Test("The host itself has null where a hypervisor would have figures")
  func bare() throws {
    let test = try column(report()).cyclictest
    let text = JSON.text(DemoColumn(bare: test))
    let members = try #require(
      JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(members["exits_per_tick"] is NSNull)
    #expect(members["exits_by_reason"] is NSNull)
    let figures = try #require(members["cyclictest"] as? [String: Any])
    #expect(figures["max"] as? Int == 90)
  }

  @Test("A column's figures have the names that demo.json promises")
  func names() throws {
    let text = try JSON.text(column(report(exits: 15_000)))
    let members = try #require(
      JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(members["exits_per_tick"] as? Double == 2.5)
    #expect(members["exits_by_reason"] as? [String: Int] == ["hlt": 15_000])
    #expect(members["user_space_seconds"] as? Double == 2.5)
  }

  @Test("A guest's timer has to be the one that its processor has")
  func timerDevice() throws {
    var column = try column(report())
    column.timerDevice = "lapic-deadline"
    let members = try #require(
      JSONSerialization.jsonObject(with: Data(JSON.text(column).utf8)) as? [String: Any])
    #expect(members["timer_device"] as? String == "lapic-deadline")

    var result = DemoResult(
      apus: column, measuredCpu: 1, guestCommandLine: "",
      emulator: .init(name: "", accelerator: "", processor: "", cpus: 2, memoryMib: 1024),
      versions: [:], notes: [], seconds: 1)
    func failed() -> [String] {
      DemoVerdict.checks(result, DemoPlan(.intel)).filter { !$0.passed }.map(\.name)
    }
    #expect(failed() == [])
    result.apus?.timerDevice = "lapic"
    #expect(failed() == ["apus-lapic-deadline"])
    result.apus?.timerDevice = nil
    #expect(failed() == ["apus-lapic-deadline"])
  }

  @Test("Every script of the demonstration measures what was asked for, and nothing else")
  func script() {
    let text = DemoScript(ways: [.bare, .kvm]).text
    #expect(text.contains("guest kvm\n"))
    #expect(!text.contains("load apus"))
    #expect(DemoScript(ways: [.apus]).text.contains("expect cpu-came-back online 3\n"))
  }

  @Test("The table says what a guest's whole life cost, and where")
  func wholeLife() throws {
    var column = try column(report())
    column.wholeRun = .init(
      seconds: 20, exits: 500, exitsByReason: ["io-client": 490, "cpuid": 7, "hlt": 2, "nmi": 1])
    let result = DemoResult(
      apus: column, measuredCpu: 1, guestCommandLine: "",
      emulator: .init(name: "", accelerator: "", processor: "", cpus: 2, memoryMib: 1024),
      versions: [:], notes: [], seconds: 1)
    let rows = DemoTable(result).description.split(separator: "\n")
      .map { $0.split(separator: " ").joined(separator: " ") }
    let start = try #require(rows.firstIndex(of: "the guest's whole life: exits 500"))
    #expect(rows[(start + 1)...] == ["io-client 490", "cpuid 7", "2 rarer reasons 3"])
  }
}
