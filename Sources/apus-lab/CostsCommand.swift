// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Lab

/// `apus-lab costs`.
struct CostsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "costs",
    abstract: "Counts the monitor's instructions from exit to entry, for each kind of exit.",
    discussion: """
      Needs what `make monitor standalone lab` builds. With VT-x, under Bochs, every instruction is \
      traced; with SVM, under QEMU, a plugin counts them. With --kvm also what a guest's own TSC says, \
      under Linux: the scenario `exit-costs`, which needs `make all hostile` too.
      """)

  @Option(help: "amd (QEMU, SVM) or intel (Bochs, VT-x); both if not said.")
  var vendor: StandaloneMachine?
  @Flag(help: "Fail if an exit costs more than its ceiling.")
  var check = false
  @Flag(help: "Also the same exits under Linux, of a guest of KVM and one of Apus.")
  var kvm = false
  @Option(help: "A file to write the costs to, as JSON.")
  var json: String?
  @Option(help: "Seconds after which a machine is ended.")
  var timeout: Int = 120

  func run() async throws {
    let terminal = Terminal(showsConsole: false)
    var run = CostRun(project: try Project.current(), terminal: terminal)
    run.seconds = timeout
    var report = CostReport()
    for machine in vendor.map({ [$0] }) ?? StandaloneMachine.allCases {
      report.monitor += try await run.run(on: machine)
    }
    terminal.text(CostTable(report.monitor).description)
    if kvm { report.besideKVM = try await run.besideKVM() }
    if let json { try JSON.write(report, to: json) }
    let above = report.monitor.filter { !$0.isWithinCeiling }
    guard check, !above.isEmpty else { return }
    terminal.step(
      "above the ceiling: " + above.map { "\($0.exit) (\($0.vendor))" }.joined(separator: ", "))
    throw ExitCode.failure
  }
}
