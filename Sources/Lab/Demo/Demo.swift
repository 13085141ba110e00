// SPDX-License-Identifier: Apache-2.0
import Figures

/// `apus-lab demo`: one emulated host in which the same loop runs on the host itself, in a guest
/// of KVM and in a guest of Apus.
public struct Demo: Sendable {
  let project: Project
  let terminal: Terminal
  let plan: DemoPlan
  let ways: [DemoScript.Way]

  /// `ways` names what to measure, of bare, apus and kvm; nil for a name that is none of these.
  public init?(vendor: Vendor, project: Project, terminal: Terminal, ways names: [String]) {
    let ways = names.compactMap(DemoScript.Way.init)
    guard ways.count == names.count, !ways.isEmpty else { return nil }
    (self.project, self.terminal, self.ways) = (project, terminal, ways)
    plan = DemoPlan(vendor)
  }

  /// True if everything that must hold did.
  public func run() async throws -> Bool {
    let path = "\(project.lab)/\(plan.name).json"
    try Files.makeDirectory(project.lab)
    // Figures of an earlier run must not be taken for this one's.
    try Files.remove(path)
    let outcome = try await ScenarioRunner(project: project, terminal: terminal)
      .outcome(of: scenario)
    var result = try await figures(outcome)
    result.checks = scenario.judge(outcome) + DemoVerdict.checks(result, plan)
    result.passed = result.checks.allSatisfy(\.passed)
    show(result)
    try JSON.write(result, to: path)
    return result.passed
  }

  private var scenario: Scenario {
    var scenario = Scenario(
      name: plan.name, summary: "a stock guest on a CPU that stock Linux gave up",
      seconds: plan.seconds, script: DemoScript(plan, ways: ways).text)
    scenario.machine = plan.machine
    scenario.needs = ways.contains(.apus) ? Scenario.Part.allCases : [.apus]
    scenario.expected = ["host-unhurt"]
    if ways.contains(.bare) { scenario.expected += ["bare-measured"] }
    if ways.contains(.kvm) { scenario.expected += ["kvm-powered-off"] }
    if ways.contains(.apus) {
      scenario.expected += ["driver-loaded", "apus-powered-off", "cpu-came-back"]
      DemoPanic.add(to: &scenario, plan)
    }
    return scenario
  }

  private func figures(_ outcome: MachineRun.Outcome) async throws -> DemoResult {
    let report = outcome.report
    let machine = plan.machine
    var result = DemoResult(
      measuredCpu: plan.cpu, guestCommandLine: plan.guestCommandLine,
      emulator: .init(
        name: try await Versions.emulator(of: machine.vendor), accelerator: machine.accelerator,
        processor: machine.model, cpus: machine.cpus, memoryMib: machine.memory),
      versions: try await Versions.all(in: project, emulatorOf: machine.vendor),
      notes: plan.notes,
      seconds: JSON.seconds(outcome.duration))
    if let lines = report.files["bare.txt"] {
      result.bare = DemoColumn(
        bare: try Cyclictest(reportedIn: lines), timerDevice: report.values["bare-timer"])
    }
    result.kvm = try column("kvm", of: report)
    result.apus = try column("apus", of: report)
    result.cpuCameBack = report.checks.first { $0.name == "cpu-came-back" }?.passed
    result.guestAfterPanic = report.values["guest-after-panic"]
    return result
  }

  /// Nil if the guest did not come to its end, which is a check of its own.
  private func column(_ device: String, of report: Report) throws -> DemoColumn? {
    guard let text = report.text(of: device + ".json") else { return nil }
    let run = try GuestRun(json: text)
    guard run.outcome == "powered-off" else { return nil }
    var column = try DemoColumn(run)
    column.timerDevice = report.values["\(device)-timer"]
    column.userSpaceSeconds = try (0..<plan.moreBoots)
      .compactMap { report.text(of: "\(device)-boot-\($0 + 1).json") }
      .map { try GuestRun(json: $0).userSpaceSeconds }
      .reduce(column.userSpaceSeconds) { [$0, $1].compactMap(\.self).min() }
    return column
  }

  private func show(_ result: DemoResult) {
    let table = DemoTable(result)
    terminal.text("\n" + table.description + "\n")
    terminal.text("cyclictest's wake-ups by delay\n" + table.chart + "\n")
    terminal.text("* " + result.notes.joined(separator: "\n  ") + "\n")
    for check in result.checks where !check.passed {
      terminal.text("FAILED \(check.name): \(check.detail)")
    }
    terminal.step(
      "\(result.passed ? "all checks held" : "the demonstration FAILED"); "
        + "figures: build/lab/\(plan.name).json, logs: build/lab/\(plan.name)/")
  }
}
