// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// Where progress goes: lines with the seconds since the start before them.
public struct Terminal: Sendable {
  private let start = ContinuousClock.now
  private let descriptor: FileDescriptor
  /// Whether consoles of emulated machines are shown as they speak.
  public let showsConsole: Bool

  /// Standard error is for commands whose standard output is JSON.
  public init(standardError: Bool = false, showsConsole: Bool = true) {
    descriptor = standardError ? .standardError : .standardOutput
    self.showsConsole = showsConsole
  }

  /// A step of the lab itself.
  public func step(_ text: String) { write("\(stamp) ==> \(text)\n") }

  /// A step that a script inside the emulated machine announced.
  public func innerStep(_ text: String) { write("\(stamp)  -> \(text)\n") }

  /// A line of an emulated console.
  public func console(_ line: String) {
    if showsConsole { write("\(stamp)  | \(line)\n") }
  }

  /// Text as it is: tables, JSON.
  public func text(_ text: String) { write(text + "\n") }

  private var stamp: String {
    let tenths = (ContinuousClock.now - start) / .milliseconds(100)
    let text = "\(Int(tenths) / 10).\(Int(tenths) % 10)"
    return "[" + String(repeating: " ", count: max(0, 5 - text.count)) + text + "]"
  }

  private func write(_ text: String) {
    // Nobody can be told that the terminal is gone.
    _ = try? descriptor.writeAll(text.utf8)
  }
}
