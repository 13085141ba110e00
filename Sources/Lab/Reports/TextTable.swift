// SPDX-License-Identifier: Apache-2.0

/// Columns of text: the first one to the left, the others to the right.
public struct TextTable: Sendable {
  private var rows: [[String]] = []

  public init(_ heading: [String]) { rows = [heading] }

  public mutating func addRow(_ cells: [String]) { rows.append(cells) }

  public var description: String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
    }
    var lines = rows.map { row in
      row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + space : space + cell
      }.joined(separator: "  ")
    }
    let width = widths.reduce(0, +) + 2 * max(0, columns - 1)
    lines.insert(String(repeating: "─", count: width), at: 1)
    return lines.joined(separator: "\n")
  }
}
