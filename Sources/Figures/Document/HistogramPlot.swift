// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Delays and how often each occurred, as cyclictest's plots show them: the delay to the right, the number
/// upwards, so that one late wake-up among millions is seen. Both axes are logarithmic.
public struct HistogramPlot: Sendable {
  public var caption: String
  /// Of the delays.
  public var unit: String
  public var lines: [Line]

  public struct Line: Sendable {
    public var series: Series
    public var name: String
    /// Numbers by delay.
    public var counts: [Int: Int]
    /// The latest of all, where the histogram does not hold it.
    public var most: Int

    public init(_ series: Series, _ name: String, counts: [Int: Int], most: Int) {
      self.series = series
      self.name = name
      self.counts = counts
      self.most = most
    }
  }

  public init(_ caption: String, unit: String, lines: [Line]) {
    self.caption = caption
    self.unit = unit
    self.lines = lines
  }

  /// Delays that share a step of the line: single ones up to 16, an eighth of a doubling beyond.
  static func bin(of delay: Int) -> Int {
    guard delay > 16 else { return max(0, delay) }
    let doublings = Int.bitWidth - 1 - delay.leadingZeroBitCount
    return 16 + (doublings - 4) * 8 + ((delay - (1 << doublings)) >> (doublings - 3))
  }

  /// The delays of a bin: from the first to below the next bin's first.
  static func first(of bin: Int) -> Int {
    guard bin > 16 else { return bin }
    let doublings = (bin - 16) / 8 + 4
    return (1 << doublings) + ((bin - 16) % 8) << (doublings - 3)
  }

  func picture(width: Double, height: Double) -> SVG {
    var picture = SVG(width: width, height: height)
    let left = 52.0, right = 14.0, bottom = 46.0
    let legendLines = Double(lines.count)
    let top = 10 + 18 * legendLines
    let bins = lines.map { line in
      Dictionary(line.counts.map { (Self.bin(of: $0), $1) }, uniquingKeysWith: +)
        .filter { $0.value > 0 }
    }
    let used = bins.flatMap(\.keys) + lines.map { Self.bin(of: $0.most) }
    guard let least = used.min(), let last = used.max() else { return picture }
    // 0 has no place on the axis: it is drawn below 1.
    let start = max(0.5, Double(Self.first(of: least)))
    let horizontal = LogarithmicScale(
      range: start...Double(max(Self.first(of: last + 1), 2)), length: width - left - right)
    let most = Double(bins.flatMap(\.values).max() ?? 1)
    let vertical = LogarithmicScale(
      range: 0.5...max(most * 1.6, 10), length: height - top - bottom)
    let x = { (delay: Int) in left + horizontal.position(max(0.5, Double(delay))) }
    let y = { (count: Double) in height - bottom - vertical.position(count) }

    for mark in vertical.marks(wanted: 2) where mark >= 1 {
      picture.line((left, y(mark)), (width - right, y(mark)), "grid")
      picture.text(
        LogarithmicScale.label(mark), at: (left - 6, y(mark) + 4), "tick", anchor: .end)
    }
    var free = -Double.infinity
    for mark in horizontal.marks(wanted: 4) {
      let place = left + horizontal.position(mark)
      picture.line((place, top), (place, height - bottom), "grid")
      guard place - free > 30 else { continue }
      free = place
      picture.text(
        LogarithmicScale.label(mark), at: (place, height - bottom + 16), "tick", anchor: .middle)
    }
    picture.text(
      unit, at: (left + horizontal.length / 2, height - 8), "axis", anchor: .middle)

    for (index, (line, bins)) in zip(lines, bins).enumerated() {
      let style = line.series.rawValue
      let steps = bins.keys.sorted()
      var data = ""
      var area = ""
      for bin in steps {
        let (from, to) = (x(Self.first(of: bin)), x(Self.first(of: bin + 1)))
        let height = SVG.number(y(Double(bins[bin] ?? 0)))
        let ground = SVG.number(y(0.5))
        let isJoined = bins[bin - 1] != nil
        data += isJoined ? "V\(height)" : "M\(SVG.number(from)) \(ground)V\(height)"
        data += "H\(SVG.number(to))"
        if bins[bin + 1] == nil { data += "V\(ground)" }
        area += "M\(SVG.number(from)) \(ground)V\(height)H\(SVG.number(to))V\(ground)Z"
      }
      picture.path(area, "area \(style)")
      picture.path(data, "line \(style)")
      let latest = x(line.most)
      picture.line((latest, y(0.5)), (latest, top), "latest \(style)")
      let legend = 8 + 18 * (Double(index) + 0.5)
      picture.line((left, legend), (left + 18, legend), "line \(style)")
      picture.text(line.name, at: (left + 24, legend + 4), "legend")
    }
    for bin in Set(bins.flatMap(\.keys)).sorted() {
      let (from, to) = (x(Self.first(of: bin)), x(Self.first(of: bin + 1)))
      let (first, last) = (Self.first(of: bin), Self.first(of: bin + 1) - 1)
      let numbers = zip(lines, bins).compactMap { line, bins in
        bins[bin].map { "\(line.series.rawValue) \($0)" }
      }
      picture.rectangle(
        x: from, y: top, width: max(1, to - from), height: height - top - bottom, "hover",
        title: (first == last ? "\(first)" : "\(first) to \(last)") + " \(unit): "
          + numbers.joined(separator: ", "))
    }
    return picture
  }
}
