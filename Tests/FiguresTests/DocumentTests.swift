// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Figures

@Suite("A document")
struct DocumentTests {
  private let document: Document = {
    var document = Document(title: "a < b", lead: "lead & more")
    document.sections = [
      .init(
        "Figures",
        [
          .text("plain"), .missing("nothing"), .notes(["small print"]),
          .cards([.init("exits", "0.00", beside: "KVM 2.41")]),
          .table(.init("rows", heading: ["", "KVM"], rows: [["<script>", "1|2"]])),
          .histogram(
            HistogramPlot(
              "delays", unit: "µs",
              lines: [
                .init(.bare, "bare", counts: [7: 4999, 900: 1], most: 900),
                .init(.apus, "apus", counts: [0: 3], most: 0),
              ])),
          .bars(BarPlot("bars", unit: "exits", rows: [.init("hlt", [(.kvm, 3), (.apus, 0)])])),
        ])
    ]
    return document
  }()

  @Test("as a page is well-formed, loads nothing and runs nothing")
  func page() throws {
    let text = HTMLPage(document).text
    #expect(text.contains("<h1>a &lt; b</h1>"))
    #expect(text.contains("<td class=\"word\">&lt;script&gt;</td>"))
    for forbidden in ["<script", "http:", "https:", "src=", "@import", "url("] {
      #expect(!text.contains(forbidden), "\(forbidden)")
    }
    for name in ["section", "svg", "table", "figure", "ul", "div", "nav", "main", "rect", "title"] {
      let opened =
        text.components(separatedBy: "<\(name) ").count
        + text.components(separatedBy: "<\(name)>").count - 2
      let selfClosed = name == "rect" ? text.matches(of: /<rect [^>]*\/>/).count : 0
      #expect(
        opened - selfClosed == text.components(separatedBy: "</\(name)>").count - 1, "\(name)")
    }
    #expect(text.contains("prefers-color-scheme:dark"))
  }

  @Test("as Markdown has its pictures beside it, each named once")
  func markdown() {
    let markdown = MarkdownText(document, pictureDirectory: "pictures")
    #expect(markdown.text.contains("| <script> | 1\\|2 |"))
    #expect(markdown.text.contains("- exits: **0.00** (KVM 2.41)"))
    #expect(markdown.text.contains("*Not measured:* nothing"))
    #expect(markdown.pictures.keys.sorted() == ["1-1.svg", "1-2.svg"])
    for (name, picture) in markdown.pictures {
      #expect(markdown.text.contains("(pictures/\(name))"))
      #expect(picture.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
    }
  }

  @Test("has every delay in a bin: one by one to 16, an eighth of a doubling beyond")
  func bins() {
    #expect((0...16).map(HistogramPlot.bin) == Array(0...16))
    #expect(HistogramPlot.bin(of: 17) == 16)
    #expect(HistogramPlot.bin(of: 18) == 17)
    #expect(HistogramPlot.bin(of: 32) == 24)
    for delay in 0..<100_000 {
      let bin = HistogramPlot.bin(of: delay)
      #expect(
        HistogramPlot.first(of: bin) <= delay && delay < HistogramPlot.first(of: bin + 1))
    }
  }

  @Test("has a logarithmic axis with powers of ten, and with more where there are few")
  func axis() {
    let scale = LogarithmicScale(range: 1...1000, length: 300)
    #expect(abs(scale.position(10) - 100) < 0.001)
    #expect(scale.position(0) == 0)
    #expect(scale.position(1e9) == 300)
    #expect(scale.marks(wanted: 3).map { $0.rounded() } == [1, 10, 100, 1000])
    #expect(
      LogarithmicScale(range: 1...10, length: 1).marks(wanted: 3) == [1, 2, 5, 10])
    #expect(LogarithmicScale.label(20_000) == "20k")
  }

  @Test("draws one late wake-up among thousands higher than none, and a line for the latest")
  func lateWakeUp() {
    let plot = HistogramPlot(
      "", unit: "µs", lines: [.init(.kvm, "KVM", counts: [5: 4999, 700: 1], most: 705)])
    let text = plot.picture(width: 900, height: 360).inside(label: "", style: "wide")
    #expect(text.matches(of: /class="latest kvm"/).count == 1)
    #expect(text.contains("µs: kvm 4999</title>"))
    #expect(text.contains("µs: kvm 1</title>"))
  }

  @Test("has bars as long as their numbers are large")
  func bars() {
    let plot = BarPlot(
      "", unit: "exits",
      rows: [.init("hlt", [(.kvm, 100), (.apus, 0)]), .init("io", [(.kvm, 50)])])
    let text = plot.picture(width: 678, isNarrow: false).inside(label: "", style: "wide")
    let widths = text.matches(of: /y="[0-9.]+" width="([0-9.]+)" height="14"/).map { String($0.1) }
    #expect(widths == ["400", "0", "200"])
  }
}
