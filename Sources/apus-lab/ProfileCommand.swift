// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Lab

/// `apus-lab profile`.
struct ProfileCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile",
    abstract: "Says which functions of the monitor spend the instructions.",
    discussion: """
      Of one exit: \(ProfileRun.exits.joined(separator: ", ")). Of a test of `apus-lab standalone` or a \
      scenario of `apus-lab run`: all that one lent CPU does, waiting included, under QEMU.
      """)

  @Argument(help: "An exit.")
  var exit: String?
  @Option(help: "A test of the monitor without Linux, instead of an exit.")
  var test: String?
  @Option(help: "A scenario, instead of an exit.")
  var scenario: String?
  @Option(help: "With --scenario: the lent CPU.")
  var cpu: Int = 2
  @Option(help: "amd (QEMU, SVM) or intel (Bochs, VT-x); both if not said. Only of an exit.")
  var vendor: StandaloneMachine?
  @Option(help: "Functions to show.")
  var rows: Int = 25
  @Option(help: "A file to write all of it to, as JSON.")
  var json: String?

  func validate() throws {
    guard [exit, test, scenario].compactMap(\.self).count == 1 else {
      throw ValidationError("name one exit, or a --test, or a --scenario")
    }
    if let exit, !ProfileRun.exits.contains(exit) {
      throw ValidationError("no exit is named \(exit)")
    }
    guard exit != nil || vendor != .intel else {
      throw ValidationError("Bochs has no profile of a whole run: only of an exit")
    }
  }

  func run() async throws {
    let terminal = Terminal(showsConsole: false)
    let run = ProfileRun(project: try Project.current(), terminal: terminal)
    var profiles: [FunctionProfile] = []
    if let exit {
      for machine in vendor.map({ [$0] }) ?? StandaloneMachine.allCases {
        profiles.append(try await run.exit(exit, on: machine))
      }
    }
    if let test { profiles.append(try await run.test(test)) }
    if let scenario { profiles.append(try await run.scenario(scenario, cpu: cpu)) }
    for profile in profiles { terminal.text(profile.table(rows: rows)) }
    if let json { try JSON.write(profiles, to: json) }
  }
}
