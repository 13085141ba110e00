// SPDX-License-Identifier: Apache-2.0

/// One stanza of apt's sources: where packages come from.
public struct AptSource: Sendable, Equatable {
  /// Field values by lower-case name as in the deb822 format, continuation lines included.
  var fields: [String: String]

  /// Reads a file of /etc/apt/sources.list.d; its name decides the format, as for apt.
  public static func parse(_ text: String, file: String) -> [AptSource] {
    if file.hasSuffix(".sources") { return parse(deb822: text) }
    return file.hasSuffix(".list") ? parse(list: text) : []
  }

  /// The source for the backports of `codename`: the same mirror and the same key as the source
  /// that this machine has for `codename` itself. Nil if it has none.
  public static func backports(of codename: String, in sources: [AptSource]) -> AptSource? {
    guard var source = release(codename, in: sources) else { return nil }
    source.fields["suites"] = codename + "-backports"
    return source
  }

  /// The source for `codename` itself: the mirror and the key that this machine has for it. Nil if it has none.
  public static func release(_ codename: String, in sources: [AptSource]) -> AptSource? {
    guard
      var source = sources.first(where: { $0.offers(suite: codename) && $0.hasBinaryPackages })
    else { return nil }
    source.fields["types"] = "deb"
    source.fields["suites"] = codename
    source.fields["components"] = "main"
    return source
  }

  /// Whether this source is switched on and has the component main of `suite`.
  public func offers(suite: String) -> Bool {
    words("suites").contains(where: { $0 == suite })
      && words("components").contains(where: { $0 == "main" })
      && fields["enabled"]?.lowercased() != "no"
  }

  /// As a stanza of a `.sources` file.
  public var deb822: String {
    let order = ["types", "uris", "suites", "components"]
    let others = fields.keys.filter { !order.contains($0) }.sorted()
    return (order + others)
      .map { "\(Self.capitalised($0)):\(Self.separated(fields[$0] ?? ""))\n" }
      .joined()
  }

  private var hasBinaryPackages: Bool { words("types").contains("deb") }

  private func words(_ field: String) -> [Substring] {
    (fields[field] ?? "").split(whereSeparator: \.isWhitespace)
  }

  private static func separated(_ value: String) -> String {
    value.isEmpty || value.hasPrefix("\n") ? value : " " + value
  }

  private static func capitalised(_ name: String) -> String {
    if name == "uris" { return "URIs" }
    return name.split(separator: "-")
      .map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: "-")
  }
}

extension AptSource {
  /// `Field: value` lines in stanzas between empty lines; a line that starts with a space goes on.
  private static func parse(deb822 text: String) -> [AptSource] {
    var sources: [AptSource] = []
    var fields: [String: String] = [:]
    var last = ""
    let lines: [Substring] = text.split(separator: "\n", omittingEmptySubsequences: false)
    for line in lines + [""] {
      if line.hasPrefix("#") { continue }
      if line.allSatisfy(\.isWhitespace) {
        if !fields.isEmpty { sources.append(AptSource(fields: fields)) }
        fields = [:]
      } else if line.first?.isWhitespace == true {
        fields[last, default: ""] += "\n" + line
      } else if let colon = line.firstIndex(of: ":") {
        last = line[..<colon].lowercased()
        fields[last] = String(line[line.index(after: colon)...].drop(while: \.isWhitespace))
      }
    }
    return sources
  }

  /// `deb [option=value ...] uri suite component ...`, one a line.
  private static func parse(list text: String) -> [AptSource] {
    text.split(separator: "\n").compactMap { AptSource(listLine: String($0)) }
  }

  private init?(listLine line: String) {
    let statement: Substring = line.prefix { $0 != "#" }
    var words: [String] = statement.split { $0.isWhitespace || $0 == "[" || $0 == "]" }
      .map { String($0) }
    guard words.count >= 4, ["deb", "deb-src"].contains(words[0]) else { return nil }
    fields = ["types": words.removeFirst()]
    while let equals = words[0].firstIndex(of: "="), !words[0].contains("://") {
      let option = words.removeFirst()
      if let field = Self.optionFields[option[..<equals].lowercased()] {
        let value = String(option[option.index(after: equals)...])
        fields[field] = value.replacing(",", with: " ")
      }
      guard words.count >= 3 else { return nil }
    }
    fields["uris"] = words[0]
    fields["suites"] = words[1]
    fields["components"] = words[2...].joined(separator: " ")
  }

  /// Options of the one-line format that matter here, by their name in the other one.
  private static let optionFields = [
    "arch": "architectures", "signed-by": "signed-by", "trusted": "trusted",
    "check-valid-until": "check-valid-until",
  ]
}
