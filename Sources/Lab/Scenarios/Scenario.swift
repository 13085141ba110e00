// SPDX-License-Identifier: Apache-2.0

/// Something to try in an emulated host: a shell script, and what must hold of what it reports.
public struct Scenario: Sendable {
  public var name: String
  /// One line for `apus-lab list`.
  public var summary: String
  /// Seconds after which the machine is ended and the scenario has failed.
  public var seconds: Int
  public var machine = HostMachine()
  /// The host's, and the guest's.
  public var kernel = KernelPackage.cloud
  public var suite = Suite.check
  /// Parts of Apus without which it cannot run.
  public var needs: [Part] = Part.allCases
  /// Programs of the developer's machine to take along.
  public var programs: [String] = []
  /// Programs for it that speak the KVM API, with their firmware.
  public var clients: Set<HostClient> = []
  /// What the script finds, by its path in the host: files or directories of the working tree.
  public var files: [String: String] = [:]
  /// Those for the guest to take along.
  public var guestPrograms: [String] = []
  /// Checks that the script must report, by name: a script that skips one has failed.
  public var expected: [String] = []
  /// Where the script makes the host panic: what follows the guest from then on.
  var afterPanic: PanicWatch?
  /// Run by the host's busybox shell; `HostScripts.functions` are at hand.
  public var script: String
  /// Checks over all that was reported; a string says what is wrong.
  public var checks: [Check] = []
  /// What is to be made of what was reported: values, and a table of them.
  var measure: (@Sendable (Report) -> Measurement?)?

  struct Measurement: Sendable {
    var values: [String: String]
    var table: String
  }

  /// When a scenario is run.
  public enum Suite: String, Sendable, CaseIterable {
    /// With every change: `make check`.
    case check
    /// Longer ones: `make soak`.
    case soak
    /// On a kernel with detectors: `make soak-debug`.
    case debug
    /// Only when asked for.
    case bench
  }

  /// What has to be built.
  public enum Part: String, Sendable, CaseIterable {
    case driver, monitor, apus
  }

  /// A named condition on a report.
  public struct Check: Sendable {
    public var name: String
    /// Nil if it holds, otherwise the reason.
    public var problem: @Sendable (Report) -> String?

    public init(_ name: String, problem: @escaping @Sendable (Report) -> String?) {
      self.name = name
      self.problem = problem
    }
  }

  public init(name: String, summary: String, seconds: Int, script: String) {
    self.name = name
    self.summary = summary
    self.seconds = seconds
    self.script = script
  }

  /// Every check on one run, those of the lab itself first.
  func judge(_ outcome: MachineRun.Outcome) -> [Report.Check] {
    let report = outcome.report
    var judged = [finished(outcome)]
    judged += report.checks
    for name in expected where !report.checks.contains(where: { $0.name == name }) {
      judged.append(.init(name: name, passed: false, detail: "was never reached"))
    }
    for check in checks {
      let problem = check.problem(report)
      judged.append(.init(name: check.name, passed: problem == nil, detail: problem ?? ""))
    }
    return judged
  }

  private func finished(_ outcome: MachineRun.Outcome) -> Report.Check {
    var problem: String?
    switch outcome.ending {
    case .script(status: 0): break
    case .timedOut: problem = "not within \(seconds) s"
    default: problem = "\(outcome.ending)"
    }
    if problem == nil, let line = outcome.report.unknown.first {
      problem = "a damaged report: \(line)"
    }
    return .init(name: "runs-to-its-end", passed: problem == nil, detail: problem ?? "")
  }
}
