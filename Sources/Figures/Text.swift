// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Columns of text.
public enum Text {
  public static func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  public static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  /// A number with as many decimals as given, rounded.
  public static func decimal(_ value: Double, places: Int) -> String {
    let scale = pow(10, Double(places))
    let scaled = Int64((value * scale).rounded())
    guard places > 0 else { return "\(scaled)" }
    let fraction = String(scaled.magnitude % UInt64(scale))
    let sign = scaled < 0 ? "-" : ""
    let zeroes = String(repeating: "0", count: places - fraction.count)
    return "\(sign)\(scaled.magnitude / UInt64(scale)).\(zeroes)\(fraction)"
  }

  static func withoutTrailingSpace(_ line: String) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }
}
