// SPDX-License-Identifier: Apache-2.0

/// A JSON value (RFC 8259) whose objects keep their members' order. Foundation stays out: the
/// program travels in initial RAM disks.
public enum JSON: Equatable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  /// Written with three decimals at most.
  case decimal(Double)
  case string(String)
  case array([JSON])
  case object([Member])

  public struct Member: Equatable, Sendable {
    public var name: String
    public var value: JSON

    public init(_ name: String, _ value: JSON) {
      self.name = name
      self.value = value
    }
  }

  /// A counter. Those beyond 63 bits are cut there.
  public static func count(_ value: some BinaryInteger) -> JSON {
    .integer(Int64(clamping: value))
  }

  /// A value that may be missing.
  public static func optional<Value>(_ value: Value?, _ make: (Value) -> JSON) -> JSON {
    value.map(make) ?? .null
  }

  /// The text, indented by two spaces a level, without a newline at its end.
  public var text: String {
    var output = ""
    write(to: &output, indentation: "")
    return output
  }

  /// The text on one line.
  public var line: String {
    var output = ""
    write(to: &output, indentation: nil)
    return output
  }

  /// Without an indentation everything is on one line.
  private func write(to output: inout String, indentation: String?) {
    switch self {
    case .null: output += "null"
    case .bool(let value): output += value ? "true" : "false"
    case .integer(let value): output += "\(value)"
    case .decimal(let value): output += value.isFinite ? Self.rounded(value) : "null"
    case .string(let value): Self.write(value, to: &output)
    case .array(let values):
      Self.write(values, in: ("[", "]"), to: &output, indentation) { value, output, inner in
        value.write(to: &output, indentation: inner)
      }
    case .object(let members):
      Self.write(members, in: ("{", "}"), to: &output, indentation) { member, output, inner in
        Self.write(member.name, to: &output)
        output += ": "
        member.value.write(to: &output, indentation: inner)
      }
    }
  }

  private static func write<Element>(
    _ elements: [Element], in brackets: (String, String), to output: inout String,
    _ indentation: String?, _ body: (Element, inout String, String?) -> Void
  ) {
    output += brackets.0
    let inner = indentation.map { $0 + "  " }
    for (index, element) in elements.enumerated() {
      if index > 0 { output += inner == nil ? ", " : "," }
      if let inner { output += "\n" + inner }
      body(element, &output, inner)
    }
    if let indentation, !elements.isEmpty { output += "\n" + indentation }
    output += brackets.1
  }

  private static func rounded(_ value: Double) -> String {
    "\((value * 1000).rounded() / 1000)"
  }

  private static func write(_ text: String, to output: inout String) {
    output += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": output += "\\\""
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\r": output += "\\r"
      case "\t": output += "\\t"
      case "\u{0}"..."\u{1f}":
        let digits = String(scalar.value, radix: 16)
        output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: output.unicodeScalars.append(scalar)
      }
    }
    output += "\""
  }
}

extension JSON {
  /// An object's member; nil if there is none, or if this is no object.
  subscript(_ name: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  var string: String? { if case .string(let value) = self { value } else { nil } }
  var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
  var members: [Member]? { if case .object(let value) = self { value } else { nil } }
}
