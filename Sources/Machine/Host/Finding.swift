// SPDX-License-Identifier: Apache-2.0

/// One thing that was looked at, and what is to be done about it.
public struct Finding: Equatable, Sendable {
  public enum State: String, Sendable {
    case good
    /// Stands in the way of lending.
    case problem
    /// Worth knowing.
    case note
  }

  public var subject: String
  public var state: State
  public var text: String
  /// How to put it right; only with a problem.
  public var fix: String?

  static func good(_ subject: String, _ text: String) -> Finding {
    Finding(subject: subject, state: .good, text: text)
  }

  static func note(_ subject: String, _ text: String) -> Finding {
    Finding(subject: subject, state: .note, text: text)
  }

  static func problem(_ subject: String, _ text: String, fix: String) -> Finding {
    Finding(subject: subject, state: .problem, text: text, fix: fix)
  }
}
