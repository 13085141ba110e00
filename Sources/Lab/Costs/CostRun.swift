// SPDX-License-Identifier: Apache-2.0

/// `apus-lab costs`: counts the monitor's instructions from exit to entry, by what the guest did,
/// from outside: the monitor is the one that the driver loads.
public struct CostRun: Sendable {
  static let test = "costs"
  /// In the guests of the test, each of which ends or starts a trace.
  static let breakpoints = 7

  public var project: Project
  public var terminal: Terminal
  public var seconds = 120

  public init(project: Project, terminal: Terminal) {
    self.project = project
    self.terminal = terminal
  }

  /// The costs on this machine, in the order of `ExitKind.all`.
  public func run(on machine: StandaloneMachine) async throws -> [ExitCost] {
    let outcome = try await outcome(on: machine)
    let costs = try Self.costs(
      on: machine, sites: outcome.lines.compactMap(CostSite.init(line:)),
      exits: try outcome.exits().exits)
    for cost in costs where !cost.agreesWithTicks {
      throw LabError.machine(
        "\(cost.exit): the guest's TSC counts \(cost.ticks ?? 0) instructions for an exit, the trace "
          + "\(cost.least) to \(cost.instructions)")
    }
    return costs
  }

  /// The same exits under Linux. Prints their table.
  public func besideKVM() async throws -> [HostedCost] {
    let runner = ScenarioRunner(project: project, terminal: terminal)
    let result = try await runner.run(.exitCosts)
    guard result.passed else { throw LabError.machine("the scenario exit-costs failed") }
    return HostedCost.all(in: result.values)
  }

  /// A run of the test, with its exits traced.
  func outcome(on machine: StandaloneMachine) async throws -> StandaloneRun.Outcome {
    terminal.step("\(machine.rawValue): exits one by one, their instructions counted")
    var run = StandaloneRun(project: project, machine: machine)
    run.commandLine = Self.test
    run.seconds = seconds
    run.observation = .exits
    let outcome = try await run.run { if !$0.hasPrefix("cost ") { terminal.innerStep($0) } }
    guard outcome.passed else {
      throw LabError.machine("the test \(Self.test) failed: \(outcome.lines.last ?? "no output")")
    }
    return outcome
  }

  static func costs(
    on machine: StandaloneMachine, sites: [CostSite], exits: ExitCount.BySite
  ) throws(LabError) -> [ExitCost] {
    guard let nothing = sites.first(where: { $0.name == "nothing" }) else {
      throw .machine("the guest did not say how long nothing takes")
    }
    if let counts = exits[nothing.address], !counts.isEmpty {
      throw .machine("the loop without an exit had \(counts.count) exits")
    }
    var costs: [ExitCost] = []
    for kind in ExitKind.all {
      guard
        let cost = ExitCost(
          kind, on: machine, sites: sites.filter { $0.name == kind.name }, nothing: nothing,
          exits: exits)
      else { throw .machine("exits for \(kind.title) were not seen") }
      costs.append(cost)
    }
    return costs
  }
}
