// SPDX-License-Identifier: Apache-2.0

/// Reads JSON (RFC 8259), and nothing that is only nearly JSON. Numbers without fraction and
/// exponent are integers; they must fit in 64 bits.
struct JSONParser {
  private var bytes: ArraySlice<UInt8>
  private var depth = 0

  /// Levels of arrays and objects.
  static let deepest = 32

  /// Nil for a text that is not one JSON value.
  static func parse(_ text: some Sequence<UInt8>) -> JSON? {
    var parser = JSONParser(bytes: Array(text)[...])
    guard let value = parser.value() else { return nil }
    parser.skipSpace()
    return parser.bytes.isEmpty ? value : nil
  }

  private init(bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  private mutating func skipSpace() {
    while let byte = bytes.first, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { bytes.removeFirst() }
  }

  private mutating func skip(_ text: String) -> Bool {
    guard bytes.starts(with: text.utf8) else { return false }
    bytes.removeFirst(text.utf8.count)
    return true
  }

  private mutating func value() -> JSON? {
    skipSpace()
    switch bytes.first {
    case UInt8(ascii: "{"): return object()
    case UInt8(ascii: "["): return array()
    case UInt8(ascii: "\""): return string().map(JSON.string)
    case UInt8(ascii: "t"): return skip("true") ? .bool(true) : nil
    case UInt8(ascii: "f"): return skip("false") ? .bool(false) : nil
    case UInt8(ascii: "n"): return skip("null") ? .null : nil
    default: return number()
    }
  }

  /// Elements between brackets, with commas; nil where one is malformed.
  private mutating func elements<Element>(
    to closing: String, _ element: (inout JSONParser) -> Element?
  ) -> [Element]? {
    bytes.removeFirst()
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { return nil }
    skipSpace()
    if skip(closing) { return [] }
    var elements: [Element] = []
    while true {
      guard let next = element(&self) else { return nil }
      elements.append(next)
      skipSpace()
      if skip(closing) { return elements }
      guard skip(",") else { return nil }
    }
  }

  private mutating func array() -> JSON? {
    elements(to: "]") { $0.value() }.map(JSON.array)
  }

  private mutating func object() -> JSON? {
    elements(to: "}") { parser in
      parser.skipSpace()
      guard let name = parser.string() else { return nil }
      parser.skipSpace()
      guard parser.skip(":"), let value = parser.value() else { return nil }
      return JSON.Member(name, value)
    }.map(JSON.object)
  }

  private mutating func number() -> JSON? {
    let text = bytes.prefix { $0 < 0x80 && "+-.0123456789Ee".utf8.contains($0) }
    var digits = text
    if digits.first == UInt8(ascii: "-") { digits.removeFirst() }
    guard let first = digits.first, (0x30...0x39).contains(first),
      !(first == 0x30 && digits.count > 1 && (0x30...0x39).contains(digits[digits.startIndex + 1])),
      let last = digits.last, (0x30...0x39).contains(last)
    else { return nil }
    bytes.removeFirst(text.count)
    let string = String(decoding: text, as: UTF8.self)
    if digits.allSatisfy({ (0x30...0x39).contains($0) }) {
      return Int64(string).map(JSON.integer)
    }
    return string.contains(".e") || string.contains(".E") ? nil : Double(string).map(JSON.decimal)
  }

  private mutating func string() -> String? {
    guard skip("\"") else { return nil }
    var text: [UInt8] = []
    while let byte = bytes.popFirst() {
      switch byte {
      case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let scalar = escaped() else { return nil }
        text += Array(String(Character(scalar)).utf8)
      case 0..<0x20: return nil
      default: text.append(byte)
      }
    }
    return nil
  }

  private mutating func escaped() -> Unicode.Scalar? {
    switch bytes.popFirst() {
    case UInt8(ascii: "\""): "\""
    case UInt8(ascii: "\\"): "\\"
    case UInt8(ascii: "/"): "/"
    case UInt8(ascii: "b"): "\u{8}"
    case UInt8(ascii: "f"): "\u{c}"
    case UInt8(ascii: "n"): "\n"
    case UInt8(ascii: "r"): "\r"
    case UInt8(ascii: "t"): "\t"
    case UInt8(ascii: "u"): unicode()
    default: nil
    }
  }

  /// The scalar of four digits, or of two surrogates.
  private mutating func unicode() -> Unicode.Scalar? {
    guard let first = hexadecimalUnit() else { return nil }
    guard (0xd800..<0xdc00).contains(first) else { return Unicode.Scalar(first) }
    guard skip("\\u"), let second = hexadecimalUnit(), (0xdc00..<0xe000).contains(second) else {
      return nil
    }
    return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
  }

  private mutating func hexadecimalUnit() -> UInt32? {
    let digits = bytes.prefix(4)
    guard digits.count == 4, !digits.contains(UInt8(ascii: "+")) else { return nil }
    bytes.removeFirst(4)
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
