// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Histograms of delays side by side: a row for each doubling of the delay, bars of logarithmic
/// length, so that a single late wake-up among thousands can be seen.
public struct HistogramChart: Sendable {
  /// Without any wake-up there is none.
  public let lines: [String]

  public init(_ columns: [(title: String, histogram: [Int: Int])], barWidth: Int = 16) {
    let rows = columns.map { Self.byDoubling($0.histogram) }
    let used = rows.flatMap(\.keys)
    guard let first = used.min(), let last = used.max() else {
      lines = []
      return
    }
    let most = rows.flatMap(\.values).max() ?? 1
    // Room for a number behind the bar.
    let width = barWidth + 8
    let heading = ["delay in µs"] + columns.map(\.title)
    let cells = (first...last).map { row in
      [Self.label(row)] + rows.map { Self.bar($0[row] ?? 0, most: most, width: barWidth) }
    }
    lines = ([heading] + cells).map { cells in
      let columns = cells.enumerated().map { Text.left($1, $0 == 0 ? 16 : width) }
      return Text.withoutTrailingSpace(columns.joined())
    }
  }

  /// Counts by row: row n holds the delays from 2^n to 2^(n+1)-1, and row 0 the 0 as well.
  static func byDoubling(_ histogram: [Int: Int]) -> [Int: Int] {
    var rows: [Int: Int] = [:]
    for (delay, count) in histogram where count > 0 {
      rows[Int.bitWidth - 1 - max(1, delay).leadingZeroBitCount, default: 0] += count
    }
    return rows
  }

  private static func label(_ row: Int) -> String {
    row == 0 ? "0 – 1" : "\(1 << row) – \((1 << (row + 1)) - 1)"
  }

  /// One wake-up is the shortest bar, all of them the longest; the count stands behind.
  private static func bar(_ count: Int, most: Int, width: Int) -> String {
    guard count > 0 else { return "·" }
    let share = log(Double(count) + 1) / log(Double(most) + 1)
    return String(repeating: "█", count: max(1, Int(share * Double(width)))) + " \(count)"
  }
}
