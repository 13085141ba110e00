// SPDX-License-Identifier: Apache-2.0

/// CPUs as Linux writes them: `3`, `2-3`, `1,4-6`.
public struct CPUList: Equatable, Sendable, CustomStringConvertible {
  /// Ascending where the text was, without repetition.
  public let cpus: [Int]

  /// The largest number that a CPU can have (NR_CPUS of Debian's kernels).
  static let maximum = 8191

  public init?(_ text: String) {
    var cpus: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false)
      guard ends.count <= 2, let first = ends.first.flatMap(Self.number),
        let last = ends.last.flatMap(Self.number), first <= last
      else { return nil }
      cpus += first...last
    }
    guard Set(cpus).count == cpus.count else { return nil }
    self.cpus = cpus
  }

  public init(_ cpus: [Int]) { self.cpus = cpus }

  private static func number(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let number = Int(text), number <= maximum
    else { return nil }
    return number
  }

  public var description: String {
    var parts: [String] = []
    var rest = cpus[...]
    while let first = rest.popFirst() {
      var last = first
      while rest.first == last + 1 { last = rest.removeFirst() }
      parts.append(first == last ? "\(first)" : "\(first)-\(last)")
    }
    return parts.joined(separator: ",")
  }
}
