// SPDX-License-Identifier: Apache-2.0

/// Rows of cells, in columns as wide as they must be.
public struct TextTable: Sendable {
  private var rows: [[String]]
  private let leftColumns: Set<Int>

  /// Columns begin at the left or, if they are numbers, end at the right.
  public init(_ heading: [String], leftColumns: Set<Int> = [0]) {
    rows = [heading]
    self.leftColumns = leftColumns
  }

  /// A row may have fewer cells than the heading.
  public mutating func addRow(_ cells: [String]) { rows.append(cells) }

  public mutating func addRows(_ rows: [[String]]) { self.rows += rows }

  public var lines: [String] {
    let widths = widths
    return rows.map { row in
      row.enumerated().map { column, cell in
        guard leftColumns.contains(column) else { return Text.right(cell, widths[column]) }
        return column == widths.count - 1 ? cell : Text.left(cell, widths[column])
      }.joined(separator: "  ")
    }
  }

  /// With a rule below the heading.
  public var description: String {
    let widths = widths
    let width = widths.reduce(0, +) + 2 * max(0, widths.count - 1)
    var lines = lines
    lines.insert(String(repeating: "─", count: width), at: 1)
    return lines.joined(separator: "\n")
  }

  private var widths: [Int] {
    (0..<(rows.map(\.count).max() ?? 0)).map { column in
      rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
    }
  }
}
