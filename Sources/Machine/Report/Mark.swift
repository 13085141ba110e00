// SPDX-License-Identifier: Apache-2.0

/// A line `mark NAME key=value …` of the report channel.
public struct Mark: Equatable, Sendable {
  public var name: String
  /// In the order in which they were written.
  public var values: [Value]
  /// Exits before the line's first byte, and after its last.
  public var before: Snapshot
  public var after: Snapshot

  public struct Value: Equatable, Sendable {
    public var key: String
    public var text: String
  }

  /// Fails for a line that is not a mark.
  public init?(line: String, before: Snapshot, after: Snapshot) {
    let words = line.split(separator: " ")
    guard words.count >= 2, words[0] == "mark" else { return nil }
    name = String(words[1])
    values = words.dropFirst(2).compactMap { word in
      guard let equals = word.firstIndex(of: "="), equals > word.startIndex else { return nil }
      return Value(
        key: String(word[..<equals]), text: String(word[word.index(after: equals)...]))
    }
    self.before = before
    self.after = after
  }

  public func number(_ key: String) -> UInt64? {
    values.first { $0.key == key }.flatMap { UInt64($0.text) }
  }
}
