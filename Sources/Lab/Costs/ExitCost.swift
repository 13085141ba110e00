// SPDX-License-Identifier: Apache-2.0

/// What one kind of exit costs on one vendor's processor.
public struct ExitCost: Sendable, Equatable, Codable {
  public var exit: String
  public var vendor: String
  /// Exits that were counted: of each site all but the first of a series and the last.
  public var counted: Int
  /// Instructions of the monitor from exit to entry: of the dearest of them, and of the cheapest.
  public var instructions: Int
  public var least: Int
  /// Instructions of the first exit of the second series, with exits of other sites before it.
  public var first: Int
  /// Of the dearest; only with VT-x.
  public var vmreads: Int?
  public var vmwrites: Int?
  /// Instructions' time as the guest saw it, on average; only under Bochs, where the TSC counts
  /// instructions.
  public var ticks: Double?
  public var ceiling: Int
  public var goal: Int

  public var isWithinCeiling: Bool {
    instructions <= ceiling && first <= ExitKind.ceilingOfFirst
  }

  /// Nil if the guest's exits of this kind were not seen often enough.
  init?(
    _ kind: ExitKind, on machine: StandaloneMachine, sites: [CostSite], nothing: CostSite,
    exits: ExitCount.BySite
  ) {
    // The timed series comes first, and only QEMU's plugin counts it. Its first exit may be the one
    // that maps memory, and the last exit of all may be the end of the run.
    var counts: [ExitCount] = []
    var firsts: [Int] = []
    for site in sites {
      let series = exits[site.address, default: []]
      let start = machine == .amd && series.count > site.iterations + 1 ? site.iterations : 0
      for (index, count) in series.enumerated().dropLast() {
        if index == start { firsts.append(count.instructions) }
        if index != start, index != 0 { counts.append(count) }
      }
    }
    guard counts.count >= 3, let most = counts.max(by: { $0.instructions < $1.instructions }),
      let least = counts.map(\.instructions).min(), let first = firsts.max()
    else { return nil }
    exit = kind.name
    vendor = machine.rawValue
    counted = counts.count
    instructions = most.instructions
    self.least = least
    self.first = first
    ceiling = kind.ceiling(on: machine)
    goal = kind.goal(on: machine)
    guard machine == .intel else { return }
    vmreads = most.vmreads
    vmwrites = most.vmwrites
    if let site = sites.first, site.ticks > 0, site.iterations == nothing.iterations {
      ticks = Double(site.ticks - nothing.ticks) / Double(site.iterations)
    }
  }

  /// What the guest's TSC says is what the trace says, but for the steps of 5 in which Bochs'
  /// clock goes and for what another CPU's lock may have cost.
  var agreesWithTicks: Bool {
    guard let ticks else { return true }
    return ticks > Double(least) * 0.97 - 1 && ticks < Double(instructions) * 1.03 + 1
  }
}
