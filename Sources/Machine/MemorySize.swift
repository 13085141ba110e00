// SPDX-License-Identifier: Apache-2.0

/// A number of bytes, written with K, M, G or T for powers of 1,024.
public struct MemorySize: Equatable, Sendable, CustomStringConvertible {
  public let bytes: UInt64

  public init(bytes: UInt64) { self.bytes = bytes }

  /// Without a letter the number means mebibytes.
  public init?(_ text: String) {
    var digits = Substring(text)
    var shift: UInt64 = 20
    let powers: [String: UInt64] = ["K": 10, "M": 20, "G": 30, "T": 40]
    if let power = digits.last.flatMap({ powers[$0.uppercased()] }) {
      shift = power
      digits.removeLast()
    }
    // UInt64 would take a sign.
    guard digits.allSatisfy(\.isNumber), let number = UInt64(digits), number > 0,
      number <= UInt64.max >> shift
    else { return nil }
    bytes = number << shift
  }

  public var description: String {
    for (letter, shift) in [("G", 30), ("M", 20), ("K", 10)] as [(String, UInt64)]
    where bytes >= 1 << shift && bytes % (1 << shift) == 0 {
      return "\(bytes >> shift)\(letter)"
    }
    return bytes >= 1 << 20 ? "\(bytes >> 20)M" : "\(bytes) bytes"
  }
}
