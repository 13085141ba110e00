// SPDX-License-Identifier: Apache-2.0
import Figures

/// Runs scenarios, one machine at a time, and keeps what they leave.
public struct ScenarioRunner: Sendable {
  public let project: Project
  public let terminal: Terminal

  public init(project: Project, terminal: Terminal) {
    self.project = project
    self.terminal = terminal
  }

  /// One scenario's result, as written to build/lab/<scenario>/result.json.
  public struct Result: Sendable, Codable {
    public var scenario: String
    public var seconds: Double
    /// How the machine ended: `script`, or what came before the script's end.
    public var ending: String
    public var checks: [Report.Check]
    public var values: [String: String]
    public var passed: Bool { checks.allSatisfy(\.passed) }
  }

  /// Runs them one after the other, however many fail; true if none did.
  public func run(_ scenarios: [Scenario]) async throws -> Bool {
    var failed: [String] = []
    let start = ContinuousClock.now
    for scenario in scenarios {
      if try await !run(scenario).passed { failed.append(scenario.name) }
    }
    let seconds = Int(JSON.seconds(ContinuousClock.now - start).rounded())
    terminal.step(
      (failed.isEmpty
        ? "\(scenarios.count) scenarios passed"
        : "\(failed.count) of \(scenarios.count) FAILED: \(failed.joined(separator: ", "))")
        + " in \(seconds) s")
    return failed.isEmpty
  }

  /// Runs it and judges it.
  public func run(_ scenario: Scenario) async throws -> Result {
    terminal.step("\(scenario.name): \(scenario.summary)")
    let outcome = try await outcome(of: scenario)
    let measurement = scenario.measure?(outcome.report)
    let others = scenario.kernel == .debug ? Detectors.ofOthers(outcome.report) : []
    let result = Result(
      scenario: scenario.name, seconds: JSON.seconds(outcome.duration),
      ending: outcome.ending.name,
      checks: scenario.judge(outcome),
      values: outcome.report.values.merging(measurement?.values ?? [:]) { $1 })
    try JSON.write(result, to: project.results(of: scenario.name) + "/result.json")
    if let measurement { terminal.text(measurement.table) }
    for title in others { terminal.text("    without a frame of the module: \(title)") }
    summarise(result, outcome)
    return result
  }

  /// Runs it and returns what it reported, attached files written beside its logs.
  func outcome(of scenario: Scenario) async throws -> MachineRun.Outcome {
    let kernel = try await scenario.kernel.prepare(in: project)
    try requireParts(scenario.needs, for: kernel)
    let held = try RunDirectory(project.results(of: scenario.name))
    let directory = held.path
    let image = HostImage(
      project: project, kernel: kernel,
      guest: try await scenario.kernel.guest.prepare(in: project))
    var run = MachineRun(
      machine: scenario.machine, project: project, kernel: kernel,
      initramfs: try await image.make(
        script: scenario.script, files: try requireFiles(scenario.files),
        programs: scenario.programs,
        guestPrograms: scenario.guestPrograms, clients: scenario.clients),
      directory: directory, seconds: scenario.seconds, terminal: terminal)
    run.afterPanic = scenario.afterPanic
    let outcome = try await run.run()
    try Files.remove(directory + "/initramfs.cpio")
    for (name, lines) in outcome.report.files {
      try Files.write(lines.joined(separator: "\n") + "\n", to: "\(directory)/\(name)")
    }
    return outcome
  }

  /// Every file by its path in the host; those of a directory one by one.
  private func requireFiles(_ wanted: [String: String]) throws -> [String: String] {
    var found: [String: String] = [:]
    for (inside, path) in wanted {
      let path = project.root + "/" + path
      guard Files.exists(path) else {
        throw LabError.notBuilt(what: inside, path: path, remedy: "make hostile")
      }
      if let names = try? Files.names(in: path) {
        for name in names { found["\(inside)/\(name)"] = "\(path)/\(name)" }
      } else {
        found[inside] = path
      }
    }
    return found
  }

  private func requireParts(_ parts: [Scenario.Part], for kernel: Kernel) throws {
    for part in parts {
      let (path, remedy) =
        switch part {
        case .driver: (project.driver(for: kernel.release), "make driver")
        case .monitor: (project.monitor, "make monitor")
        case .apus: (project.apus, "make vmm")
        }
      guard Files.exists(path) else {
        throw LabError.notBuilt(what: part.rawValue, path: path, remedy: remedy)
      }
    }
  }

  private func summarise(_ result: Result, _ outcome: MachineRun.Outcome) {
    let failed = result.checks.filter { !$0.passed }
    for check in failed { terminal.text("    FAILED \(check.name): \(check.detail)") }
    if !outcome.emulatorMessage.isEmpty {
      terminal.text("    emulator: \(outcome.emulatorMessage)")
    }
    let passed = result.checks.count - failed.count
    terminal.step(
      "\(result.scenario): \(passed) passed, \(failed.count) failed, "
        + "\(Int(result.seconds.rounded())) s")
  }
}
