// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A histogram as lines of text: a row for each doubling of the delay, bars of logarithmic length,
/// so that a single late wake-up among thousands can be seen.
struct HistogramChart {
  let lines: [String]

  private static let barWidth = 40

  init(_ bars: [Cyclictest.Bar]) {
    let rows = Self.byDoubling(bars)
    guard let first = rows.firstIndex(where: { $0 > 0 }),
      let last = rows.lastIndex(where: { $0 > 0 }), let most = rows.max()
    else {
      lines = []
      return
    }
    let labels = (first...last).map(Self.label)
    let width = labels.map(\.count).max() ?? 0
    lines = zip(first...last, labels).map { row, label in
      let bar = Self.bar(rows[row], most: most)
      return Text.right(label, width) + " µs  " + (bar.isEmpty ? "·" : "\(bar) \(rows[row])")
    }
  }

  /// Row n counts the delays from 2^n to 2^(n+1)-1, and row 0 the 0 as well.
  static func byDoubling(_ bars: [Cyclictest.Bar]) -> [Int] {
    var rows = [Int](repeating: 0, count: Int.bitWidth)
    for bar in bars {
      rows[Int.bitWidth - 1 - max(1, bar.delay).leadingZeroBitCount] += bar.count
    }
    return rows
  }

  private static func label(_ row: Int) -> String {
    row == 0 ? "0–1" : "\(1 << row)–\((1 << (row + 1)) - 1)"
  }

  private static func bar(_ count: Int, most: Int) -> String {
    guard count > 0 else { return "" }
    let share = log(Double(count) + 1) / log(Double(most) + 1)
    return String(repeating: "█", count: max(1, Int((share * Double(barWidth)).rounded())))
  }
}
