// SPDX-License-Identifier: Apache-2.0

/// Exits a second between two looks at a guest, by the guest's own clock.
public struct ExitRates: Equatable, Sendable {
  public struct Rate: Equatable, Sendable {
    public var name: String
    public var perSecond: Double
  }

  public struct Counted: Equatable, Sendable {
    public var total: Double
    /// Causes that occurred, the most frequent first.
    public var byCause: [Rate]
  }

  public struct VirtualCPU: Equatable, Sendable {
    public var id: Int
    public var cpu: Int?
    public var rates: Counted
  }

  public var name: GuestName
  public var pid: Int32
  public var elapsed: Duration
  public var rates: Counted
  public var virtualCPUs: [VirtualCPU]

  /// Nil if the two are not the same guest, or no time has passed.
  public init?(from earlier: GuestStatus, to later: GuestStatus) {
    let elapsed = later.uptime - earlier.uptime
    guard earlier.pid == later.pid, elapsed > .zero,
      earlier.virtualCPUs.map(\.id) == later.virtualCPUs.map(\.id)
    else { return nil }
    name = later.name
    pid = later.pid
    self.elapsed = elapsed
    rates = Counted(later.exits - earlier.exits, in: elapsed)
    virtualCPUs = zip(earlier.virtualCPUs, later.virtualCPUs).map { before, after in
      VirtualCPU(
        id: after.id, cpu: after.cpu, rates: Counted(after.exits - before.exits, in: elapsed))
    }
  }
}

extension ExitRates.Counted {
  init(_ exits: ExitCounts, in elapsed: Duration) {
    // A counter that went back belongs to a vCPU that could not be asked: there is no rate then.
    func rate(_ count: UInt64) -> Double {
      Double(Int64(bitPattern: count) < 0 ? 0 : count) / elapsed.seconds
    }
    total = rate(exits.total)
    byCause = exits.happened.map { ExitRates.Rate(name: $0.cause, perSecond: rate($0.count)) }
      .filter { $0.perSecond > 0 }
  }
}
