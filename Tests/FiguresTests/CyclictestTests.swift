// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Figures

@Suite("Cyclictest's report")
struct CyclictestTests {
  /// What `cyclictest -q -h 10 -l 8` of rt-tests 2.4 prints, shortened.
  private static let one = [
    "# /dev/cpu_dma_latency set to 0us", "# Histogram", "000000 000000", "000005 000004",
    "000007 000003", "# Total: 000000007", "# Min Latencies: 00005", "# Avg Latencies: 00006",
    "# Max Latencies: 00012", "# Histogram Overflows: 00001",
    "# Histogram Overflow at cycle number:",
    "# Thread 0: 00007",
  ]

  @Test("gives minimum, average, maximum, histogram and overflows")
  func oneThread() throws {
    let test = try #require(Cyclictest(parsing: Self.one))
    #expect(test.min == 5)
    #expect(test.avg == 6)
    #expect(test.max == 12)
    #expect(test.histogram == [5: 4, 7: 3])
    #expect(test.overflows == 1)
    #expect(test.wakeUps == 8)
  }

  @Test("of several threads is taken together")
  func threads() throws {
    let test = try #require(
      Cyclictest(
        parsing: [
          "000005 000004\t000001", "000006 000000 000002", "# Min Latencies: 00005 00003",
          "# Avg Latencies: 00006 00008", "# Max Latencies: 00012 00040",
          "# Histogram Overflows: 00001 00002",
        ]))
    #expect(test.min == 3)
    #expect(test.avg == 7)
    #expect(test.max == 40)
    #expect(test.histogram == [5: 5, 6: 2])
    #expect(test.overflows == 3)
  }

  @Test("is none if its figures are missing or are no numbers")
  func none() {
    #expect(Cyclictest(parsing: []) == nil)
    #expect(Cyclictest(parsing: Self.one.filter { !$0.contains("Avg") }) == nil)
    #expect(Cyclictest(parsing: ["# Min Latencies: x", "# Avg Latencies: 1"]) == nil)
  }

  @Test("with numbers that no run reaches does no harm")
  func huge() throws {
    let test = try #require(
      Cyclictest(parsing: Self.one + ["000009 99999999999999999999", "4294967295 4294967295"]))
    #expect(test.histogram[4_294_967_295] == 4_294_967_295)
  }

  @Test("says below which delay a part of the wake-ups stayed")
  func percentile() throws {
    let test = try #require(Cyclictest(parsing: Self.one))
    #expect(test.percentile(0.5) == 5)
    #expect(test.percentile(0.8) == 7)
    #expect(test.percentile(0.99) == 12)
  }

  @Test("survives JSON, with the delays as names")
  func json() throws {
    let test = try #require(Cyclictest(parsing: Self.one))
    let data = try JSONEncoder().encode(test)
    #expect(String(decoding: data, as: UTF8.self).contains("\"7\":3"))
    #expect(try JSONDecoder().decode(Cyclictest.self, from: data) == test)
  }
}
