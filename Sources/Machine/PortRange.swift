// SPDX-License-Identifier: Apache-2.0

/// I/O ports in a row: `0x3f8-0x3ff`, `0x80`, `1016`.
public struct PortRange: Equatable, Sendable, CustomStringConvertible {
  public let ports: ClosedRange<UInt16>

  public init?(_ text: String) {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count <= 2, let first = ends.first.flatMap(Self.number),
      let last = ends.last.flatMap(Self.number), first <= last,
      // The interface counts in 16 bits.
      Int(last) - Int(first) < Int(UInt16.max)
    else { return nil }
    ports = first...last
  }

  private static func number(_ text: Substring) -> UInt16? {
    let isHexadecimal = text.hasPrefix("0x") || text.hasPrefix("0X")
    let digits = isHexadecimal ? text.dropFirst(2) : text
    // The initialiser would take a sign.
    guard digits.allSatisfy(\.isHexDigit) else { return nil }
    return UInt16(digits, radix: isHexadecimal ? 16 : 10)
  }

  var count: UInt16 { ports.upperBound - ports.lowerBound + 1 }

  /// As /proc/ioports writes them, with the prefix that C and the command line want.
  public var description: String {
    let first = hexadecimal(ports.lowerBound)
    return ports.count == 1 ? first : "\(first)-\(hexadecimal(ports.upperBound))"
  }
}
