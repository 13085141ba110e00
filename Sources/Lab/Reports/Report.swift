// SPDX-License-Identifier: Apache-2.0

/// What a script inside an emulated machine reported on the second serial port, a line at a time.
///
///     step TEXT            what comes next, for the person who watches
///     value NAME TEXT      a figure
///     pass NAME            a check held
///     fail NAME REASON     a check did not hold
///     file NAME LINE       one line of a file
///     done STATUS          the script ended; nothing comes after it
public struct Report: Sendable, Equatable {
  /// A check that the script made.
  public struct Check: Sendable, Equatable, Codable {
    public var name: String
    public var passed: Bool
    public var detail: String
  }

  public private(set) var values: [String: String] = [:]
  public private(set) var checks: [Check] = []
  public private(set) var files: [String: [String]] = [:]
  public private(set) var steps: [String] = []
  /// The script's exit status; nil if it never came to its end.
  public private(set) var status: Int?
  /// Lines that are none of the above: a fault of the script or a damaged transfer.
  public private(set) var unknown: [String] = []
  /// What the machine's console showed beside: for what happens when no script runs any more.
  public internal(set) var console: [String] = []

  public init() {}

  public init(parsing lines: some Sequence<String>) {
    for line in lines { add(line) }
  }

  public mutating func add(_ line: String) {
    let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    let name = parts.count > 1 ? String(parts[1]) : ""
    let rest = parts.count > 2 ? String(parts[2]) : ""
    switch parts.first {
    case "step": steps.append(String(line.dropFirst("step ".count)))
    case "value": values[name] = rest
    case "pass": checks.append(Check(name: name, passed: true, detail: rest))
    case "fail": checks.append(Check(name: name, passed: false, detail: rest))
    case "file": files[name, default: []].append(rest)
    case "done": status = Int(name)
    default: if !line.isEmpty { unknown.append(line) }
    }
  }

  /// A file that the script attached.
  public func text(of file: String) -> String? {
    files[file].map { $0.joined(separator: "\n") }
  }
}
