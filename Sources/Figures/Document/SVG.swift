// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Text of an SVG picture, element by element. Colours come from the classes of `Style`.
struct SVG {
  let width: Double
  let height: Double
  private var body = ""

  init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  enum Anchor: String { case start, middle, end }

  mutating func line(_ from: (Double, Double), _ to: (Double, Double), _ style: String) {
    body +=
      "<line class=\"\(style)\" x1=\"\(Self.number(from.0))\" y1=\"\(Self.number(from.1))\" "
      + "x2=\"\(Self.number(to.0))\" y2=\"\(Self.number(to.1))\"/>\n"
  }

  mutating func text(
    _ text: String, at place: (Double, Double), _ style: String, anchor: Anchor = .start
  ) {
    body +=
      "<text class=\"\(style)\" x=\"\(Self.number(place.0))\" y=\"\(Self.number(place.1))\" "
      + "text-anchor=\"\(anchor.rawValue)\">\(Markup.escaped(text))</text>\n"
  }

  /// `title` is shown while the pointer is over it.
  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, _ style: String, title: String = ""
  ) {
    body +=
      "<rect class=\"\(style)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" "
      + "width=\"\(Self.number(width))\" height=\"\(Self.number(height))\""
      + (title.isEmpty ? "/>\n" : "><title>\(Markup.escaped(title))</title></rect>\n")
  }

  /// `data` as in the attribute `d`.
  mutating func path(_ data: String, _ style: String) {
    body += "<path class=\"\(style)\" d=\"\(data)\"/>\n"
  }

  /// Inside a page, whose style sheet it has. `label` is read out where nothing is seen.
  func inside(label: String, style: String) -> String { element(label, " class=\"\(style)\"", "") }

  /// A file of its own.
  func file(label: String) -> String {
    element(
      label, " xmlns=\"http://www.w3.org/2000/svg\" width=\"\(Self.number(width))\"",
      "<style>\(Style.picture)</style>\n"
        + "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n")
  }

  private func element(_ label: String, _ attributes: String, _ head: String) -> String {
    "<svg\(attributes) viewBox=\"0 0 \(Self.number(width)) \(Self.number(height))\" role=\"img\" "
      + "aria-label=\"\(Markup.escaped(label))\">\n\(head)\(body)</svg>\n"
  }

  /// To a tenth, which is less than a pixel.
  static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    guard tenths % 10 != 0 else { return "\(tenths / 10)" }
    return Text.decimal(Double(tenths) / 10, places: 1)
  }
}

/// Text of HTML and of SVG.
enum Markup {
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for character in text {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      default: escaped.append(character)
      }
    }
    return escaped
  }
}
