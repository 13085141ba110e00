// SPDX-License-Identifier: Apache-2.0
import Contract
import Figures
import Foundation
import Testing

@testable import Machine

@Suite("A run's report")
struct RunReportTests {
  private static func snapshot(_ exits: UInt64, _ milliseconds: Int) -> Snapshot {
    Snapshot(time: .milliseconds(milliseconds), exits: .sample(("io", exits), ("hlt", 0)))
  }

  private static func mark(_ line: String, _ before: UInt64, _ after: UInt64, at time: Int) -> Mark?
  {
    Mark(line: line, before: snapshot(before, time), after: snapshot(after, time + 1))
  }

  private static var lent: VirtualCPUResult {
    var statistics = apus_statistics()
    statistics.lent_cpu = 3
    statistics.apic_mode = APUS_APIC_X2APIC.rawValue
    statistics.timer_mode = APUS_TIMER_DIRECT.rawValue
    statistics.entries = 42
    statistics.kicks = 2
    withUnsafeMutableBytes(of: &statistics.exits) {
      $0.storeBytes(of: 40, toByteOffset: 5 * 8, as: UInt64.self)
    }
    return VirtualCPUResult(id: 0, apus: statistics)
  }

  private static func result(
    _ outcome: RunOutcome = .poweredOff, _ cpu: VirtualCPUResult = lent
  ) -> RunResult {
    var report = GuestReport()
    report.marks = [
      mark("mark begin ticks=10", 100, 120, at: 1000),
      mark("mark end ticks=30", 125, 150, at: 1500),
    ].compactMap { $0 }
    report.firstLine = .milliseconds(1000)
    report.lines = [
      "000007 000005", "# Min Latencies: 00007", "# Avg Latencies: 00007", "# Max Latencies: 00007",
    ]
    return RunResult(
      device: "/dev/apus", hypervisor: .apus, outcome: outcome, elapsed: .milliseconds(2500),
      report: report, virtualCPUs: [cpu])
  }

  private func json(_ result: RunResult) throws -> [String: Any] {
    let data = Data(JSON.text(JSONReport(result)).utf8)
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  @Test("has for programs what the run was and cost")
  func program() throws {
    let json = try json(Self.result())
    #expect(json["version"] as? Int == 2)
    #expect(json["hypervisor"] as? String == "apus")
    #expect(json["outcome"] as? String == "powered-off")
    #expect(json["exit_status"] as? Int == 0)
    #expect(json["elapsed_ns"] as? Int == 2_500_000_000)
    #expect(json["user_space_ns"] as? Int == 1_000_000_000)
    #expect(json["exits"] as? Int == 40)
    #expect((json["exits_by_reason"] as? [String: Int])?["io-client"] == 40)
    #expect(json["failure"] is NSNull)
    let test = try #require(json["cyclictest"] as? [String: Any])
    #expect(test["avg"] as? Int == 7)
    #expect(test["histogram"] as? [String: Int] == ["7": 5])
  }

  @Test("has for programs each interval with its exits per tick")
  func interval() throws {
    let intervals = try #require(try json(Self.result())["intervals"] as? [[String: Any]])
    #expect(intervals.count == 1)
    #expect(intervals[0]["from"] as? String == "begin")
    #expect(intervals[0]["duration_ns"] as? Int == 499_000_000)
    #expect(intervals[0]["ticks"] as? Int == 20)
    #expect(intervals[0]["exits"] as? Int == 5)
    #expect(intervals[0]["exits_per_tick"] as? Double == 0.25)
  }

  @Test("has for programs each vCPU's modes and where a lent CPU's time went")
  func virtualCPU() throws {
    let cpus = try #require(try json(Self.result())["vcpus"] as? [[String: Any]])
    #expect(cpus[0]["cpu"] as? Int == 3)
    #expect(cpus[0]["apic_mode"] as? String == "x2apic")
    #expect((cpus[0]["interrupts"] as? [String: String])?["mode"] == "direct")
    #expect((cpus[0]["timer"] as? [String: String])?["mode"] == "direct")
    let lent = try #require(cpus[0]["lent"] as? [String: Int])
    #expect(lent["entries"] == 42)
    #expect(lent["kicks"] == 2)
  }

  @Test("has for programs why a guest ended itself, numbers as text")
  func failure() throws {
    let failure = GuestFailure(
      virtualCPU: 0, reason: "triple fault",
      registers: [.init(name: "rip", value: 0xffff_ffff_8100_0000)],
      lastExits: [.init(code: 0x7f, instructionPointer: 1, information: 0)])
    let json = try json(Self.result(.guestFailed(failure)))
    #expect(json["exit_status"] as? Int == 2)
    let read = try #require(json["failure"] as? [String: Any])
    #expect(read["reason"] as? String == "triple fault")
    #expect(read["registers"] as? [String: String] == ["rip": "0xffffffff81000000"])
    #expect((read["last_exits"] as? [[String: String]])?[0]["code"] == "0x7f")
  }

  @Test("tells a person the cost: exits by reason, per tick, and cyclictest's chart")
  func person() {
    #expect(
      TextReport(Self.result()).cost == [
        "the guest powered off after 2.500 s, in user space after 1.000 s",
        "",
        "exits of the whole run  40",
        "  io-client             40",
        "",
        "between marks     time  ticks  exits  per tick  of which",
        "  begin → end  0.499 s     20      5     0.250  io 5",
        "",
        "cyclictest: 5 wake-ups, late by 7 µs at least, 7 µs on average, 7 µs at most",
        "  delay in µs     wake-ups",
        "  4 – 7           " + String(repeating: "█", count: 40) + " 5",
      ])
  }

  @Test("always says which mode is in effect, and why")
  func modes() {
    #expect(
      TextReport(Self.result()).modes == [
        "vCPU 0 on CPU 3 of /dev/apus: interrupts direct (the guest uses x2APIC on a lent CPU), "
          + "timer direct (the guest sets the lent CPU's APIC timer), APIC mode x2apic"
      ])
    var statistics = apus_statistics()
    statistics.apic_mode = APUS_APIC_XAPIC.rawValue
    let cpu = VirtualCPUResult(id: 1, apus: statistics)
    #expect(!cpu.interrupts.isDirect)
    #expect(cpu.interrupts.reason.contains("xAPIC"))
    #expect(!cpu.timer.isDirect)
  }

  @Test(
    "takes KVM's APIC mode from IA32_APIC_BASE",
    arguments: [
      (0xfee0_0d00, VirtualCPUResult.APICMode.x2APIC), (0xfee0_0900, .xAPIC),
      (0xfee0_0100, .disabled),
    ] as [(UInt64, VirtualCPUResult.APICMode)])
  func apicMode(base: UInt64, mode: VirtualCPUResult.APICMode) {
    let cpu = VirtualCPUResult(id: 0, kvm: .none, pinnedTo: nil, apicBase: base)
    #expect(cpu.apic == mode)
    #expect(!cpu.interrupts.isDirect)
  }
}
