// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite struct FiguresTests {
  let report = """
    # /dev/cpu_dma_latency set to 0us
    # Histogram
    000007 000010
    000008 000080
    000012 000009
    # Total: 000000099
    # Min Latencies: 00007
    # Avg Latencies: 00008
    # Max Latencies: 20999
    # Histogram Overflows: 00001
    # Histogram Overflow at cycle number:
    # Thread 0: 03406
    """.split(separator: "\n").map(String.init)

  @Test("cyclictest's report is read, its overflows included")
  func cyclictest() throws {
    let result = try Cyclictest(parsing: report)
    #expect(result.min == 7)
    #expect(result.avg == 8)
    #expect(result.max == 20999)
    #expect(result.histogram == [7: 10, 8: 80, 12: 9])
    #expect(result.overflows == 1)
    #expect(result.loops == 100)
    #expect(result.percentile(0.5) == 8)
    #expect(result.percentile(0.99) == 12)
    #expect(result.percentile(0.999) == 20999)
  }

  @Test("A report that was cut off is an error")
  func cutOff() {
    #expect(throws: LabError.self) { try Cyclictest(parsing: report.prefix(5)) }
  }

  @Test("A histogram survives JSON, with the delays as keys")
  func json() throws {
    let result = try Cyclictest(parsing: report)
    let text = try JSON.text(result)
    #expect(text.contains("\"12\" : 9"))
    #expect(try JSON.decode(Cyclictest.self, from: text) == result)
  }

  @Test("Columns of a table line up")
  func table() {
    var table = TextTable(["", "bare", "apus"])
    table.addRow(["max", "7", "12345"])
    #expect(
      table.description == """
             bare   apus
        ────────────────
        max     7  12345
        """)
  }

  @Test("Delays are gathered by doubling")
  func doubling() {
    #expect(
      HistogramChart.byDoubling([0: 1, 1: 2, 2: 4, 3: 8, 4: 16, 1023: 32, 1024: 64])
        == [0: 3, 1: 12, 2: 16, 9: 32, 10: 64])
  }

  @Test("A single late wake-up is visible beside thousands, and an empty row is not a bar")
  func chart() {
    let chart = HistogramChart([("bare", [8: 4999, 40: 1]), ("kvm", [9: 10])]).description
    let lines = chart.split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines[0].hasPrefix("delay in µs"))
    #expect(lines[1].hasPrefix("8 – 15"))
    #expect(lines[1].contains("████████████████ 4999"))
    #expect(lines[2].filter { $0 == "·" }.count == 2)
    #expect(lines[3].contains("█ 1"))
  }
}
