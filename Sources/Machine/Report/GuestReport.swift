// SPDX-License-Identifier: Apache-2.0
import Figures

/// What a guest said on its report channel.
public struct GuestReport: Equatable, Sendable {
  public var marks: [Mark] = []
  /// Lines that are neither marks nor lines of a file.
  public var lines: [String] = []
  /// In the order of their first lines.
  public internal(set) var files: [File] = []
  /// When the first line began: the guest has reached user space.
  public var firstLine: Duration?
  /// Lines beyond `ReportChannel.mostLines`.
  public var droppedLines = 0
  var lineCount = 0

  public struct File: Equatable, Sendable {
    public var name: String
    public var lines: [String]
  }

  public init() {}

  /// From each mark to the next.
  public var intervals: [Interval] {
    zip(marks, marks.dropFirst()).map(Interval.init)
  }

  /// Cyclictest's report, a file of that name or lying among the lines.
  public var cyclictest: Cyclictest? {
    files.first { $0.name == "cyclictest" }.flatMap { Cyclictest(parsing: $0.lines) }
      ?? Cyclictest(parsing: lines)
  }

  /// The name and the text of a line `file NAME TEXT`; the text may be empty.
  static func fileLine(_ line: String) -> (name: String, text: String)? {
    let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count >= 2, parts[0] == "file", !parts[1].isEmpty else { return nil }
    return (String(parts[1]), parts.count > 2 ? String(parts[2]) : "")
  }

  mutating func append(_ line: String, to file: String) {
    if let index = files.firstIndex(where: { $0.name == file }) {
      files[index].lines.append(line)
    } else {
      files.append(File(name: file, lines: [line]))
    }
  }
}
