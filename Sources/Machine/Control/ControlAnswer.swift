// SPDX-License-Identifier: Apache-2.0

/// What a guest's process answers: objects of JSON, a line each.
enum ControlAnswer {
  static func done(_ members: [JSON.Member] = []) -> JSON {
    .object([.init("ok", .bool(true))] + members)
  }

  static func refusal(_ reason: String) -> JSON {
    .object([.init("ok", .bool(false)), .init("error", .string(reason))])
  }

  /// The last line, for whoever asked for the end.
  static func ended(_ outcome: Outcome) -> JSON {
    done([.init("ended", ending(outcome).json)])
  }

  private static func ending(_ outcome: Outcome) -> GuestEnd {
    GuestEnd(outcome: outcome.name, message: "\(outcome)", exitStatus: outcome.exitStatus)
  }
}

/// How a guest ended, as its process told it.
public struct GuestEnd: Equatable, Sendable {
  public var outcome: String
  public var message: String
  public var exitStatus: Int32

  var json: JSON {
    .object([
      .init("outcome", .string(outcome)),
      .init("message", .string(message)),
      .init("exit_status", .count(exitStatus)),
    ])
  }
}

extension GuestEnd {
  init?(_ json: JSON) {
    guard let outcome = json["outcome"]?.string, let message = json["message"]?.string,
      let status = json["exit_status"]?.integer.flatMap(Int32.init(exactly:))
    else { return nil }
    self.init(outcome: outcome, message: message, exitStatus: status)
  }
}
