// SPDX-License-Identifier: Apache-2.0

/// What one kind of exit costs on one vendor's processor.
public struct ExitCost: Sendable, Equatable, Codable {
  public var exit: String
  public var vendor: String
  /// Exits that were counted: of each site all but the first and the last.
  public var counted: Int
  /// Instructions of the monitor from exit to entry: of the dearest of them, and of the cheapest.
  public var instructions: Int
  public var least: Int
  /// Of the dearest; only with VT-x.
  public var vmreads: Int?
  public var vmwrites: Int?
  /// Instructions' time as the guest saw it, on average; only under Bochs, where the TSC counts
  /// instructions.
  public var ticks: Double?
  public var ceiling: Int
  public var goal: Int

  public var isWithinCeiling: Bool { instructions <= ceiling }

  /// Nil if the guest's exits of this kind were not seen often enough.
  init?(
    _ kind: ExitKind, on machine: StandaloneMachine, sites: [CostSite], nothing: CostSite,
    exits: ExitCount.BySite
  ) {
    // The first one may be the one that maps memory, and the last one the end of the run.
    let counts = sites.flatMap { exits[$0.address, default: []].dropFirst().dropLast() }
    guard counts.count >= 3, let most = counts.max(by: { $0.instructions < $1.instructions }),
      let least = counts.map(\.instructions).min()
    else { return nil }
    exit = kind.name
    vendor = machine.rawValue
    counted = counts.count
    instructions = most.instructions
    self.least = least
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
