// SPDX-License-Identifier: Apache-2.0

/// What `apus-lab costs --json` writes.
public struct CostReport: Sendable, Equatable, Codable {
  /// From exit to entry, in the monitor alone.
  public var monitor: [ExitCost] = []
  /// Until the guest goes on, under Linux; of those on VT-x. Nil if it was not measured.
  public var besideKVM: [HostedCost]?

  public init() {}
}
