// SPDX-License-Identifier: Apache-2.0

/// What a Swift file declares for other files, and the names that it uses.
struct SwiftFile {
  let name: String
  /// Types, and members that are not private.
  let declarations: Set<String>
  /// Those of them that are types.
  let types: Set<String>
  /// Everything that the file mentions and does not declare itself, not even as a local name.
  let uses: Set<String>

  init(name: String, text: String) {
    self.name = name
    var declarations = Set<String>()
    var types = Set<String>()
    var own = Set<String>()
    var mentioned = Set<String>()
    for line in text.split(separator: "\n") {
      let code = Self.code(of: line)
      let isMember = line.prefix { $0 == " " }.count <= 4
      for match in code.matches(of: Self.declaration) {
        own.insert(String(match.2))
        if isMember, !match.1.contains("private") { declarations.insert(String(match.2)) }
      }
      if isMember {
        for match in code.matches(of: Self.type) where !match.1.contains("private") {
          types.insert(String(match.2))
        }
      }
      // `case a, b` of an enumeration, and not of a switch.
      if code.firstMatch(of: Self.cases) != nil {
        let names = Set(code.matches(of: Self.word).map { String($0.0) })
        own.formUnion(names)
        declarations.formUnion(names)
      }
      // Parameters, labels, and names that a loop introduces.
      for match in code.matches(of: Self.local) { own.insert(String(match.1 ?? match.2 ?? "")) }
      mentioned.formUnion(code.matches(of: Self.word).map { String($0.0) })
    }
    self.declarations = declarations
    self.types = types
    uses = mentioned.subtracting(own)
  }

  /// The line without its comment and without what its strings hold.
  private static func code(of line: Substring) -> String {
    var code = line.replacing(string, with: "\"\"")
    if let comment = code.firstRange(of: "//") { code.removeSubrange(comment.lowerBound...) }
    return String(code)
  }

  // A Regex is immutable, but does not say so.
  private nonisolated(unsafe) static let string = #/"(?:\\.|[^"\\])*"/#
  nonisolated(unsafe) static let word = #/\b[A-Za-z_]\w*\b/#
  private nonisolated(unsafe) static let declaration =
    #/((?:\b(?:public|private|fileprivate|mutating|nonmutating|static|final) )*)\b(?:struct|enum|protocol|class|func|var|let|typealias) `?([A-Za-z_]\w*)/#
  private nonisolated(unsafe) static let type =
    #/((?:\b(?:public|private|fileprivate|final|indirect) )*)\b(?:struct|enum|protocol|class|actor|typealias) ([A-Z]\w*)/#
  private nonisolated(unsafe) static let cases = #/^ +case [a-z]\w*(?:\(| =|,|$)[^:]*$/#
  private nonisolated(unsafe) static let local = #/(?:^|[^.\w])([a-z_]\w*):|\bfor ([a-z_]\w*) in\b/#
}
