// SPDX-License-Identifier: Apache-2.0
import Figures

/// `apus-lab fuzz`: a million random privileged operations of guests, without Linux, where a fault of
/// the monitor is seen at once. The first seed is another one each time, and recorded.
public struct FuzzRun: Sendable {
  static let test = "fuzz-guest-long"
  static let operations = 1_000_000

  public var project: Project
  public var machine: StandaloneMachine
  public var terminal: Terminal
  /// Seconds after which the machine is ended.
  public var seconds = 3000

  public init(project: Project, machine: StandaloneMachine, terminal: Terminal) {
    self.project = project
    self.machine = machine
    self.terminal = terminal
  }

  /// As written to build/lab/fuzz-amd.json and build/lab/fuzz-intel.json.
  struct Result: Sendable, Codable {
    var vendor: String
    /// Set APUS_LAB_SEED to this to have the same again.
    var seed: UInt64
    var operations: Int
    /// Each has a seed of its own, one more than the last one's.
    var guests: Int
    var exits: Int
    var seconds: Double
    var passed: Bool
    /// What the machine said.
    var lines: [String]
  }

  /// True if every operation was made and hurt nobody but its guest.
  public func run() async throws -> Bool {
    let seed = Scenario.seed
    terminal.step(
      "\(machine.rawValue): \(Self.operations) random privileged operations, APUS_LAB_SEED=\(seed)")
    var run = StandaloneRun(project: project, machine: machine)
    run.commandLine = "\(Self.test) \(seed)"
    run.seconds = seconds
    let outcome = try await run.run { terminal.innerStep($0) }
    let result = Self.result(outcome, machine, seed: seed)
    try JSON.write(result, to: "\(project.lab)/fuzz-\(machine.rawValue).json")
    terminal.step(
      "\(machine.rawValue): \(result.passed ? "passed" : "FAILED"), \(result.operations) operations "
        + "in \(result.guests) guests, \(Int(result.seconds.rounded())) s")
    return result.passed
  }

  /// The test says `fuzz: N operations, seeds A to B` now and then, and its own line ends with the
  /// exits of them.
  static func result(
    _ outcome: StandaloneRun.Outcome, _ machine: StandaloneMachine, seed: UInt64
  ) -> Result {
    let words = outcome.lines.last { $0.hasPrefix("fuzz: ") }?.split(separator: " ") ?? []
    var result = Result(
      vendor: machine.rawValue, seed: seed, operations: 0, guests: 0, exits: 0,
      seconds: JSON.seconds(outcome.duration), passed: false, lines: outcome.lines)
    if words.count == 7, let operations = Int(words[1]), let first = UInt64(words[4]),
      let last = UInt64(words[6]), first == seed, last >= first
    {
      result.operations = operations
      result.guests = Int(last - first) + 1
    }
    let exits = outcome.lines.first { $0.hasPrefix("ok \(test) ") }?.split(separator: "=").last
    result.exits = exits.flatMap { Int($0) } ?? 0
    result.passed = outcome.passed && result.operations >= operations
    return result
  }
}
