// SPDX-License-Identifier: Apache-2.0

/// What a guest's process answers: an object of JSON on a line. Besides `ok` it has what was asked
/// for.
struct ControlAnswer: Codable, Equatable, Sendable {
  var ok: Bool
  /// Why not, if not.
  var error: String?
  var status: GuestStatus?
  /// Whether the guest listens to its power button.
  var listening: Bool?
  /// Bytes that the console showed before.
  var kept: UInt64?
  /// The last line, for whoever asked for the end.
  var ended: GuestEnd?

  static var done: ControlAnswer { ControlAnswer(ok: true) }

  static func refusal(_ reason: String) -> ControlAnswer {
    ControlAnswer(ok: false, error: reason)
  }
}

/// How a guest ended, as its process told it.
public struct GuestEnd: Codable, Equatable, Sendable {
  public var outcome: String
  public var message: String
  public var exitStatus: Int32

  init(_ outcome: RunOutcome) {
    self.outcome = outcome.name
    message = "\(outcome)"
    exitStatus = outcome.exitStatus
  }
}
