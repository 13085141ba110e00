// SPDX-License-Identifier: Apache-2.0

/// `apus-lab profile`: which functions of the monitor spend the instructions.
public struct ProfileRun: Sendable {
  public var project: Project
  public var terminal: Terminal
  public var seconds = 120

  public init(project: Project, terminal: Terminal) {
    self.project = project
    self.terminal = terminal
  }

  /// The kinds of exit that `exit` takes.
  public static var exits: [String] { ExitKind.all.map(\.name) }

  /// Of one kind of exit, on average.
  public func exit(_ name: String, on machine: StandaloneMachine) async throws -> FunctionProfile {
    let disassembly = try await Disassembly(of: project)
    var run = CostRun(project: project, terminal: terminal)
    run.seconds = seconds
    let outcome = try await run.outcome(on: machine)
    let sites = outcome.lines.compactMap(CostSite.init(line:)).filter { $0.name == name }
    let paths = try outcome.exits(following: Set(sites.map(\.address))).paths
      .dropFirst().dropLast()
    guard !paths.isEmpty else { throw LabError.machine("exits named \(name) were not seen") }
    var counts: [UInt64: Int] = [:]
    for address in paths.joined() { counts[address, default: 0] += 1 }
    return FunctionProfile(
      of: name, vendor: machine.rawValue, exits: paths.count, counts: counts, in: disassembly)
  }

  /// Of a whole standalone test, everything that the lent CPU does in it: under QEMU.
  public func test(_ name: String) async throws -> FunctionProfile {
    let disassembly = try await Disassembly(of: project)
    var run = StandaloneRun(project: project, machine: .amd)
    run.commandLine = name
    run.seconds = seconds
    run.observation = .functions
    let outcome = try await run.run { terminal.innerStep($0) }
    guard outcome.passed, let files = outcome.files else {
      throw LabError.machine("the test \(name) failed: \(outcome.lines.last ?? "no output")")
    }
    return FunctionProfile(
      of: name, vendor: "amd", exits: nil,
      counts: try CountingPlugin.counts(in: Files.readText(files.counts)), in: disassembly)
  }

  /// Of a scenario, everything that a lent CPU does in it: under QEMU.
  public func scenario(_ name: String, cpu: Int) async throws -> FunctionProfile {
    let disassembly = try await Disassembly(of: project)
    guard var scenario = try Scenario.named([name]).first, scenario.machine.vendor == .amd else {
      throw LabError.machine("\(name) does not run under QEMU, which has the plugin")
    }
    let counts = project.lab + "/profile-counts"
    try Files.remove(counts)
    scenario.machine.emulatorOptions += try CountingPlugin(
      project: project, cpu: cpu, counts: counts
    ).options()
    let result = try await ScenarioRunner(project: project, terminal: terminal).run(scenario)
    guard result.passed else { throw LabError.machine("the scenario \(name) failed") }
    return FunctionProfile(
      of: name, vendor: "amd", exits: nil,
      counts: try CountingPlugin.counts(in: Files.readText(counts)), in: disassembly)
  }
}
