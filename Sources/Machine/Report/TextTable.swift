// SPDX-License-Identifier: Apache-2.0

/// Rows of equally many cells, in columns as wide as they must be.
struct TextTable {
  let lines: [String]

  /// Columns begin at the left or, if they are numbers, end at the right.
  init(_ rows: [[String]], leftColumns: Set<Int>) {
    let columns = rows.first?.count ?? 0
    let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
    lines = rows.map { row in
      row.enumerated().map { column, cell in
        guard leftColumns.contains(column) else { return Text.right(cell, widths[column]) }
        return column == columns - 1 ? cell : Text.left(cell, widths[column])
      }.joined(separator: "  ")
    }
  }
}
