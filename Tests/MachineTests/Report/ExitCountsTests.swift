// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing

@testable import Machine

@Suite("Exit counters")
struct ExitCountsTests {
  @Test("of /dev/apus have a name of its own for each cause of the contract")
  func names() {
    let counts = ExitCounts(apus_statistics()).byCause
    #expect(counts.count == Int(APUS_EXIT_COUNT.rawValue))
    #expect(counts["?"] == nil)
    #expect(String(cString: apus_exit_name(APUS_EXIT_COUNT.rawValue)) == "?")
  }

  @Test("of /dev/apus are told by the index of the cause")
  func apus() {
    var statistics = apus_statistics()
    withUnsafeMutableBytes(of: &statistics.exits) { bytes in
      for (index, count) in [(3, 30), (10, 100), (24, 7)] as [(Int, UInt64)] {
        bytes.storeBytes(of: count, toByteOffset: index * 8, as: UInt64.self)
      }
    }
    let counts = ExitCounts(statistics)
    #expect(counts.total == 137)
    #expect(counts.happened.map(\.cause) == ["apic-icr", "hlt", "other"])
    #expect(counts.happened.map(\.count) == [100, 30, 7])
  }

  @Test("of KVM count as other what has no counter of its own")
  func kvm() {
    let counts = ExitCounts(kvm: [
      "pf_fixed": 5, "exits": 100, "io_exits": 20, "halt_exits": 30, "irq_exits": 5,
    ])
    #expect(counts.total == 100)
    #expect(
      counts.byCause.filter { $0.value > 0 } == [
        "io": 20, "hlt": 30, "interrupt": 5, "other": 45,
      ])
  }

  @Test("of KVM never go below zero where causes overlap")
  func overlap() {
    let counts = ExitCounts(kvm: ["exits": 10, "io_exits": 8, "mmio_exits": 8])
    #expect(counts.byCause["other"] == 0)
  }

  @Test("are subtracted cause by cause")
  func difference() {
    let difference =
      ExitCounts.sample(("io", 10), ("hlt", 7)) - ExitCounts.sample(("io", 4), ("hlt", 7))
    #expect(difference == .sample(("io", 6), ("hlt", 0)))
    #expect(ExitCounts.sample(("io", 3)) - .none == .sample(("io", 3)))
  }

  @Test("of several vCPUs are added cause by cause")
  func sum() {
    let all = [ExitCounts.sample(("io", 1), ("hlt", 2)), .sample(("io", 10), ("hlt", 20))]
    #expect(all.reduce(.none, +) == .sample(("io", 11), ("hlt", 22)))
  }
}
