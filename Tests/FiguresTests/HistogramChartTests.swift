// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Figures

@Suite("A histogram's chart")
struct HistogramChartTests {
  @Test("has a row for each doubling, with 0 and 1 in the first")
  func rows() {
    #expect(
      HistogramChart.byDoubling([0: 1, 1: 2, 2: 4, 3: 8, 4: 16, 1023: 32, 1024: 64])
        == [0: 3, 1: 12, 2: 16, 9: 32, 10: 64])
  }

  @Test("shows every row between the first and the last, and one late wake-up among thousands")
  func chart() {
    let lines = HistogramChart([("bare", [8: 4999, 40: 1]), ("kvm", [9: 10])]).lines
    #expect(lines.count == 4)
    #expect(lines[0] == "delay in µs     bare                    kvm")
    #expect(lines[1].hasPrefix("8 – 15          ████████████████ 4999   ████ 10"))
    #expect(lines[2].filter { $0 == "·" }.count == 2)
    #expect(lines[3] == "32 – 63         █ 1                     ·")
  }

  @Test("of nothing is empty")
  func empty() { #expect(HistogramChart([("bare", [:])]).lines.isEmpty) }
}
