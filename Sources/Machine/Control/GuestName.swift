// SPDX-License-Identifier: Apache-2.0

/// What a user calls a guest, and what its control socket is called.
public struct GuestName: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let description: String

  /// A socket's whole path has 107 bytes at most.
  static let longest = 48

  /// Letters, digits, `.`, `_` and `-`; a letter or a digit first.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, bytes.count <= Self.longest, Self.isLetterOrDigit(first),
      bytes.allSatisfy({ Self.isLetterOrDigit($0) || ".-_".utf8.contains($0) })
    else { return nil }
    description = text
  }

  /// Of a guest that was given none.
  public init(process: Int32) { description = "vm\(process)" }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }

  public static func < (first: GuestName, second: GuestName) -> Bool {
    first.description < second.description
  }
}
