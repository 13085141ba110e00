// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

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
    #expect(test.minimum == 5)
    #expect(test.average == 6)
    #expect(test.maximum == 12)
    #expect(test.histogram == [.init(delay: 5, count: 4), .init(delay: 7, count: 3)])
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
        ].map { $0.split(separator: "\t").joined(separator: " ") }))
    #expect(test.minimum == 3)
    #expect(test.average == 7)
    #expect(test.maximum == 40)
    #expect(test.histogram == [.init(delay: 5, count: 5), .init(delay: 6, count: 2)])
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
    #expect(test.histogram.last == .init(delay: 4_294_967_295, count: 4_294_967_295))
  }
}

@Suite("A histogram's chart")
struct HistogramChartTests {
  @Test("has a row for each doubling, with 0 and 1 in the first")
  func rows() {
    let rows = HistogramChart.byDoubling([
      .init(delay: 0, count: 1), .init(delay: 1, count: 2), .init(delay: 2, count: 4),
      .init(delay: 3, count: 8), .init(delay: 4, count: 16), .init(delay: 1023, count: 32),
    ])
    #expect(Array(rows[0..<3]) == [3, 12, 16])
    #expect(rows[9] == 32)
  }

  @Test("shows every row between the first and the last, and one late wake-up among thousands")
  func chart() {
    let lines = HistogramChart([.init(delay: 8, count: 4999), .init(delay: 40, count: 1)]).lines
    #expect(lines.count == 3)
    #expect(lines[0] == " 8–15 µs  " + String(repeating: "█", count: 40) + " 4999")
    #expect(lines[1] == "16–31 µs  ·")
    #expect(lines[2] == "32–63 µs  ███ 1")
  }

  @Test("of nothing is empty")
  func empty() { #expect(HistogramChart([]).lines.isEmpty) }
}
