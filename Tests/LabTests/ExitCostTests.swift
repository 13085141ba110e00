// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Lab

@Suite struct ExitCostTests {
  static let trace = """
    Next at t=12079550
    (1) [0x0000006112bf] 0008:00000000000112bf (unk. ctxt): call .+12  (0x000112d0)   ; e80c000000
    (1).[12079555] [0x000000611345] 0008:0000000000011345 (unk. ctxt): cpuid                     ; 0fa2
    (1).[12079555] [0x000000438000] 0008:0000000000102000 (unk. ctxt): push rdi                  ; 57
    (1).[12079555] [0x000000438001] 0008:0000000000102001 (unk. ctxt): vmread rax, rcx           ; 0f78c8
    (2).[12079555] [0x000000438001] 0008:0000000000102001 (unk. ctxt): vmread rax, rcx           ; 0f78c8
    (1).[12079560] [0x000000438004] 0008:0000000000102004 (unk. ctxt): vmwrite rax, rcx          ; 0f79c1
    (1).[12079560] [0x000000438007] 0008:0000000000102007 (unk. ctxt): vmresume                  ; 0f01c3
    (1).[12079560] [0x000000611347] 0008:0000000000011347 (unk. ctxt): dec r12d                  ; 41ffcc

    """

  @Test("A trace's instructions between two of the guest belong to the first one's exit")
  func trace() {
    var exits = ExitCollector(following: [0x11345])
    BochsTrace.read(Data(Self.trace.utf8), into: &exits)
    #expect(exits.exits == [0x11345: [ExitCount(instructions: 4, vmreads: 1, vmwrites: 1)]])
    #expect(exits.paths == [[0x102000, 0x102001, 0x102004, 0x102007]])
  }

  @Test("The debugger turns the trace on and off at every second breakpoint")
  func commands() {
    #expect(
      BochsTrace.commands(breakpoints: 3)
        == "c\nset $cpu = 1\ntrace on\nc\ntrace off\nc\nset $cpu = 1\ntrace on\nc\n")
  }

  @Test("The plugin's addresses are exits of the guest's instruction before them")
  func plugin() {
    let addresses: [UInt32] = [0x11345, 0x102000, 0x102001, 0x11347, 0x102000, 0x11345, 0x102002]
    var exits = ExitCollector(following: [0x11345])
    CountingPlugin.read(
      trace: addresses.withUnsafeBytes { Data($0) }, into: &exits)
    #expect(
      exits.exits == [
        0x11345: [ExitCount(instructions: 2), ExitCount(instructions: 1)],
        0x11347: [ExitCount(instructions: 1)],
      ])
    #expect(exits.paths == [[0x102000, 0x102001], [0x102002]])
  }

  @Test("The plugin's counts are by address")
  func counts() throws {
    #expect(
      try CountingPlugin.counts(in: "102000 210\n1020a0 5\n") == [0x102000: 210, 0x1020a0: 5])
    #expect(throws: LabError.self) { try CountingPlugin.counts(in: "11345\n") }
  }

  @Test("A line of the standalone test names a site and its time")
  func site() {
    #expect(
      CostSite(line: "cost cpuid at 0x11345: 195140 for 64")
        == CostSite(name: "cpuid", address: 0x11345, ticks: 195140, iterations: 64))
    #expect(CostSite(line: "ok costs exits=0") == nil)
  }

  private static let nothing = CostSite(name: "nothing", address: 1, ticks: 100, iterations: 4)

  private func cost(_ instructions: [Int], ticks: Int) throws -> ExitCost {
    let kind = try #require(ExitKind.all.first { $0.name == "cpuid" })
    let site = CostSite(name: "cpuid", address: 2, ticks: ticks, iterations: 4)
    return try #require(
      ExitCost(
        kind, on: .intel, sites: [site], nothing: Self.nothing,
        exits: [2: instructions.map { ExitCount(instructions: $0, vmreads: $0 / 10) }]))
  }

  @Test("The dearest exit counts, but for the first and the last")
  func dearest() throws {
    let cost = try cost([900, 200, 220, 210, 5000], ticks: 940)
    #expect(cost.instructions == 220 && cost.least == 200 && cost.counted == 3)
    #expect(cost.vmreads == 22 && cost.ticks == 210 && cost.agreesWithTicks)
    #expect(cost.isWithinCeiling)
    #expect(cost.first == 900)
    #expect(try !self.cost([0, 200, 251, 210, 0], ticks: 940).isWithinCeiling)
    #expect(try !self.cost([901, 200, 220, 210, 0], ticks: 940).isWithinCeiling)
  }

  @Test("Both series are counted where the plugin sees them, each without its first exit")
  func series() throws {
    let kind = try #require(ExitKind.all.first { $0.name == "cpuid" })
    let site = CostSite(name: "cpuid", address: 2, ticks: 0, iterations: 4)
    let counts = [1000, 300, 301, 302, 400, 303, 304, 2000].map { ExitCount(instructions: $0) }
    let cost = try #require(
      ExitCost(kind, on: .amd, sites: [site], nothing: Self.nothing, exits: [2: counts]))
    #expect(cost.instructions == 304 && cost.least == 300 && cost.counted == 5)
    #expect(cost.first == 400)
  }

  @Test("A time that the instructions do not explain is found")
  func disagreement() throws {
    #expect(try !cost([200, 200, 200, 200, 200], ticks: 1200).agreesWithTicks)
  }

  @Test("Exits that were not seen are an error, and exits of the empty loop too")
  func missing() {
    #expect(throws: LabError.self) {
      try CostRun.costs(on: .amd, sites: [Self.nothing], exits: [:])
    }
    #expect(throws: LabError.self) {
      try CostRun.costs(
        on: .amd, sites: [Self.nothing], exits: [1: [ExitCount(instructions: 5)]])
    }
  }

  @Test("The table marks what is above its goal")
  func table() throws {
    let lines = CostTable([try cost([0, 251, 251, 251, 0], ticks: 1104)]).description
    #expect(lines.contains("! 251"))
    #expect(try !CostTable([cost([0, 250, 250, 250, 0], ticks: 1100)]).description.contains("!"))
  }

  @Test("Costs under Linux are what the guest says, less what its loop takes")
  func hosted() {
    let report = Report(parsing: [
      "file kvm cost nothing at 0x0: 640 for 64", "file kvm cost cpuid at 0x0: 64640 for 64",
      "file apus cost nothing at 0x0: 640 for 64", "file apus cost cpuid at 0x0: 13440 for 64",
      "file apus cost rdmsr at 0x0: 13440 for 64",
    ])
    let costs = HostedCost.all(in: report)
    #expect(costs == [HostedCost(exit: "cpuid", kvm: 1000, apus: 200)])
    #expect(HostedCost.missing(in: report).contains("rdmsr"))
    #expect(HostedCost.all(in: HostedCost.measurement(costs).values) == costs)
  }
}
