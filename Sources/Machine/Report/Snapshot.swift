// SPDX-License-Identifier: Apache-2.0

/// Exits until a moment.
public struct Snapshot: Equatable, Sendable {
  /// Since the guest's first instruction.
  public var time: Duration
  public var exits: ExitCounts

  public init(time: Duration, exits: ExitCounts) {
    self.time = time
    self.exits = exits
  }

  /// Without the exit in which a device of the client is being served.
  var beforeThisExit: Snapshot { Snapshot(time: time, exits: exits.withoutOneAtClient) }
}
