// SPDX-License-Identifier: Apache-2.0

/// Numbers side by side: a group of bars for each row, a bar for each series. The lengths are linear.
public struct BarPlot: Sendable {
  public var caption: String
  public var unit: String
  public var rows: [Row]

  public struct Row: Sendable {
    public var name: String
    public var bars: [(series: Series, value: Double)]

    public init(_ name: String, _ bars: [(series: Series, value: Double)]) {
      self.name = name
      self.bars = bars
    }
  }

  public init(_ caption: String, unit: String, rows: [Row]) {
    self.caption = caption
    self.unit = unit
    self.rows = rows
  }

  private var series: [Series] {
    Series.allCases.filter { series in
      rows.contains { row in row.bars.contains { $0.series == series } }
    }
  }

  /// A name stands above its bars where there is no room beside them.
  func picture(width: Double, isNarrow: Bool) -> SVG {
    let names = isNarrow ? 0 : 210.0
    let bar = 14.0, gap = isNarrow ? 26.0 : 12.0
    let numbers = 64.0, top = 34.0
    let height =
      top + 6 + rows.reduce(0) { $0 + Double($1.bars.count) * (bar + 2) + gap }
    var picture = SVG(width: width, height: height)
    let most = max(rows.flatMap(\.bars).map(\.value).max() ?? 0, 1e-9)
    let length = width - names - numbers - 4
    var legend = names
    for series in series {
      picture.rectangle(x: legend, y: 8, width: 12, height: 12, "bar \(series.rawValue)")
      let name = series.title
      picture.text(name, at: (legend + 17, 18), "legend")
      legend += 34 + 8 * Double(name.count)
    }
    var y = top
    for row in rows {
      if isNarrow {
        picture.text(row.name, at: (0, y + 11), "legend")
        y += 16
      } else {
        let middle = y + Double(row.bars.count) * (bar + 2) / 2 + 3
        picture.text(row.name, at: (names - 10, middle), "legend", anchor: .end)
      }
      for (series, value) in row.bars {
        let size = value > 0 ? max(1, length * value / most) : 0
        let number = Self.number(value)
        picture.rectangle(
          x: names, y: y, width: size, height: bar, "bar \(series.rawValue)",
          title: "\(row.name), \(series.title): \(number) \(unit)")
        picture.text(number, at: (names + size + 5, y + 11), "tick")
        y += bar + 2
      }
      y += isNarrow ? gap - 16 : gap
    }
    return picture
  }

  /// Whole where it is large.
  static func number(_ value: Double) -> String {
    value >= 100 || value == value.rounded()
      ? "\(Int(value.rounded()))" : Text.decimal(value, places: 2)
  }
}

extension Series {
  /// In legends.
  public var title: String {
    switch self {
    case .bare: "bare metal"
    case .kvm: "KVM"
    case .apus: "Apus"
    case .document: "document"
    case .otherDocument: "document, before"
    }
  }
}
