// SPDX-License-Identifier: Apache-2.0

/// `apus stop`: asks a guest to power off, and can insist.
public struct GuestStop {
  private let connection: ControlConnection

  /// What became of it.
  public enum Outcome: Equatable, Sendable {
    case ended(GuestEnd)
    /// The process went without a word: it was killed.
    case vanished
    /// It goes on; whether it heeds its power button at all.
    case goesOn(isListening: Bool)
  }

  public init(_ connection: ControlConnection) { self.connection = connection }

  /// Presses the power button and waits for the end.
  public func pressButton(patience: Duration) throws(ControlError) -> Outcome {
    let answer = try connection.answer(to: .stop)
    return try end(within: patience) ?? .goesOn(isListening: answer.listening ?? true)
  }

  /// Ends the run as SIGTERM does, and waits until the host has everything back.
  public func force(patience: Duration = .seconds(30)) throws(ControlError) -> Outcome {
    do {
      try connection.send(.kill)
    } catch .justEnded {
      return .vanished
    }
    return try end(within: patience) ?? .goesOn(isListening: true)
  }

  /// Nil if it goes on.
  func end(within patience: Duration) throws(ControlError) -> Outcome? {
    let deadline = ContinuousClock.now + patience
    do {
      while let answer = try connection.line(before: deadline) {
        if let end = answer.ended { return .ended(end) }
      }
      return nil
    } catch .justEnded {
      return .vanished
    }
  }
}
