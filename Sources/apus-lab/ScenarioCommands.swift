// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

/// `apus-lab run`: scenarios by name, or a whole suite.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs scenarios in emulated hosts.",
    discussion: "Logs and results are left in build/lab/<scenario>.")

  @Argument(help: "Scenarios, by name; see `apus-lab list`.")
  var names: [String] = []
  @Option(help: "All of a suite: check, soak, bench or debug.")
  var suite: Scenario.Suite?
  @Option(help: "The host's kernel, instead of the scenario's own: cloud, backports or debug.")
  var kernel: KernelPackage?
  @Flag(help: "Show the consoles of the emulated machines.")
  var console = false

  func run() async throws {
    let scenarios = try (Scenario.named(names) + (suite.map(Scenario.all) ?? []))
      .map { scenario in kernel.map(scenario.on) ?? scenario }
    guard !scenarios.isEmpty else { throw ValidationError("name scenarios, or a --suite") }
    let terminal = Terminal(showsConsole: console)
    let passed = try await ScenarioRunner(project: try Project.current(), terminal: terminal)
      .run(scenarios)
    if !passed { throw ExitCode.failure }
  }
}

/// `apus-lab list`.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Names the scenarios.")

  func run() {
    for scenario in Scenario.all {
      print("\(scenario.suite.rawValue)\t\(scenario.name)\t\(scenario.summary)")
    }
  }
}

extension Scenario.Suite: ExpressibleByArgument {}
