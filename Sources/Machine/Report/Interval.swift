// SPDX-License-Identifier: Apache-2.0

/// What happened from one mark to the next, the marks' own lines excluded.
public struct Interval: Equatable, Sendable {
  public var from: String
  public var to: String
  public var duration: Duration
  public var exits: ExitCounts
  /// Timer ticks, when both marks have `ticks=`.
  public var ticks: UInt64?

  public init(from start: Mark, to end: Mark) {
    from = start.name
    to = end.name
    duration = end.before.time - start.after.time
    exits = end.before.exits - start.after.exits
    if let first = start.number("ticks"), let last = end.number("ticks"), last >= first {
      ticks = last - first
    }
  }

  public var exitsPerTick: Double? {
    guard let ticks, ticks > 0 else { return nil }
    return Double(exits.total) / Double(ticks)
  }
}
