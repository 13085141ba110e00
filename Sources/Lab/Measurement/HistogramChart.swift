// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Histograms side by side: a row for each doubling of the delay, bars with a logarithmic length.
public struct HistogramChart: Sendable {
  private let columns: [(title: String, histogram: [Int: Int])]
  private let barWidth = 16

  public init(_ columns: [(title: String, histogram: [Int: Int])]) { self.columns = columns }

  public var description: String {
    let rows = columns.map { Self.byDoubling($0.histogram) }
    let used = rows.flatMap(\.keys)
    guard let first = used.min(), let last = used.max() else { return "" }
    let most = rows.flatMap(\.values).max() ?? 1
    let heading =
      pad("delay in µs", 16)
      + columns.map { pad($0.title, barWidth + 8) }.joined()
    let lines = (first...last).map { row in
      pad(Self.label(row), 16)
        + rows.map { pad(bar($0[row] ?? 0, most: most), barWidth + 8) }.joined()
    }
    return ([heading] + lines).map(Self.withoutTrailingSpace).joined(separator: "\n")
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
  private func bar(_ count: Int, most: Int) -> String {
    guard count > 0 else { return "·" }
    let share = log(Double(count) + 1) / log(Double(most) + 1)
    return String(repeating: "█", count: max(1, Int(share * Double(barWidth)))) + " \(count)"
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private static func withoutTrailingSpace(_ line: String) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }
}
