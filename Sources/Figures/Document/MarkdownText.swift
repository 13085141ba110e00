// SPDX-License-Identifier: Apache-2.0

/// A document as Markdown, with its pictures as SVG files beside it.
public struct MarkdownText: Sendable {
  public private(set) var text: String
  /// By file name.
  public private(set) var pictures: [String: String] = [:]

  /// `pictureDirectory` is where the text says that they are.
  public init(_ document: Document, pictureDirectory: String) {
    text = "# \(document.title)\n\n\(document.lead)\n"
    for (index, section) in document.sections.enumerated() {
      text += "\n## \(section.title)\n"
      var number = 0
      for block in section.blocks {
        text += "\n"
        switch block {
        case .text(let words): text += words + "\n"
        case .missing(let words): text += "*Not measured:* \(words)\n"
        case .notes(let notes): text += notes.map { "- \($0)\n" }.joined()
        case .cards(let cards):
          text += cards.map { "- \($0.title): **\($0.value)** (\($0.beside))\n" }.joined()
        case .table(let table): text += Self.table(table)
        case .histogram(let plot):
          number += 1
          add(
            plot.caption, plot.picture(width: 860, height: 340), "\(index + 1)-\(number).svg",
            in: pictureDirectory)
        case .bars(let plot):
          number += 1
          add(
            plot.caption, plot.picture(width: 860, isNarrow: false), "\(index + 1)-\(number).svg",
            in: pictureDirectory)
        }
      }
    }
  }

  private mutating func add(_ caption: String, _ svg: SVG, _ name: String, in directory: String) {
    pictures[name] = svg.file(label: caption)
    text += "**\(caption)**\n\n![\(caption)](\(directory)/\(name))\n"
  }

  private static func table(_ table: Document.Table) -> String {
    func row(_ cells: [String]) -> String {
      "| "
        + cells.map { cell in
          cell.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
        }.joined(separator: " | ") + " |\n"
    }
    let rule = table.heading.indices.map { table.leftColumns.contains($0) ? "---" : "---:" }
    return "**\(table.caption)**\n\n" + row(table.heading) + row(rule)
      + table.rows.map(row).joined()
  }
}
