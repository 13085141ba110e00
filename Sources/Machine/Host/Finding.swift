// SPDX-License-Identifier: Apache-2.0

/// One thing that was looked at, and what is to be done about it.
public struct Finding: Equatable, Sendable {
  public enum State: String, Encodable, Sendable {
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

extension Finding: Encodable {
  private enum CodingKeys: CodingKey { case subject, state, text, fix }

  /// Where there is nothing to put right, the fix is null.
  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(subject, forKey: .subject)
    try members.encode(state, forKey: .state)
    try members.encode(text, forKey: .text)
    try members.encode(fix, forKey: .fix)
  }
}
