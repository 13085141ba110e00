// SPDX-License-Identifier: Apache-2.0

/// A document as one HTML file that loads nothing: no script, no network, by day and by night.
public struct HTMLPage: Sendable {
  public let text: String

  public init(_ document: Document) {
    let titles = document.sections.enumerated().map { index, section in
      "<a href=\"#s\(index + 1)\">\(Markup.escaped(section.title))</a>"
    }
    text = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <title>\(Markup.escaped(document.title))</title>
      <style>
      \(Style.page)</style>
      </head>
      <body>
      <header>
      <h1>\(Markup.escaped(document.title))</h1>
      <p>\(Markup.escaped(document.lead))</p>
      </header>
      <nav>\(titles.joined(separator: "\n"))</nav>
      <main>
      \(document.sections.enumerated().map(Self.section).joined())</main>
      <footer></footer>
      </body>
      </html>

      """
  }

  private static func section(_ index: Int, _ section: Document.Section) -> String {
    "<section id=\"s\(index + 1)\">\n<h2>\(Markup.escaped(section.title))</h2>\n"
      + section.blocks.map(block).joined() + "</section>\n"
  }

  private static func block(_ block: Document.Block) -> String {
    switch block {
    case .text(let text): return "<p>\(Markup.escaped(text))</p>\n"
    case .missing(let text): return "<p class=\"missing\">\(Markup.escaped(text))</p>\n"
    case .notes(let notes):
      return "<ul class=\"notes\">\n"
        + notes.map { "<li>\(Markup.escaped($0))</li>\n" }.joined() + "</ul>\n"
    case .cards(let cards):
      return "<div class=\"cards\">\n"
        + cards.map {
          "<div class=\"card\"><span>\(Markup.escaped($0.title))</span>"
            + "<b>\(Markup.escaped($0.value))</b><span>\(Markup.escaped($0.beside))</span></div>\n"
        }.joined() + "</div>\n"
    case .table(let table): return Self.table(table)
    case .histogram(let plot):
      return figure(
        plot.caption, wide: plot.picture(width: 900, height: 360),
        narrow: plot.picture(width: 360, height: 320))
    case .bars(let plot):
      return figure(
        plot.caption, wide: plot.picture(width: 900, isNarrow: false),
        narrow: plot.picture(width: 360, isNarrow: true))
    }
  }

  /// Text of a picture cannot become smaller with its window: there is one for each kind of window.
  private static func figure(_ caption: String, wide: SVG, narrow: SVG) -> String {
    "<figure>\n<figcaption>\(Markup.escaped(caption))</figcaption>\n"
      + wide.inside(label: caption, style: "wide")
      + narrow.inside(label: caption, style: "narrow") + "</figure>\n"
  }

  private static func table(_ table: Document.Table) -> String {
    func row(_ cells: [String], _ name: String) -> String {
      "<tr>"
        + cells.enumerated().map { column, cell in
          let style = table.leftColumns.contains(column) ? " class=\"word\"" : ""
          return "<\(name)\(style)>\(Markup.escaped(cell))</\(name)>"
        }.joined() + "</tr>\n"
    }
    return "<div class=\"scroll\"><table>\n<caption>\(Markup.escaped(table.caption))</caption>\n"
      + "<thead>\(row(table.heading, "th"))</thead>\n<tbody>\n"
      + table.rows.map { row($0, "td") }.joined() + "</tbody>\n</table></div>\n"
  }
}
