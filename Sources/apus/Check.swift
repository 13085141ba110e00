// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Machine

/// `apus check`: can this host lend CPUs, and if not, what is to be done.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say whether this machine can lend CPUs, and if not, what to do.",
    discussion: "Exit status: 0 it can, 1 it cannot.")

  @Option(help: "The CPU to ask about. Without it: any.")
  var cpu: Int?

  @Option(help: "The driver's device.")
  var device = "/dev/apus"

  @Flag(help: "Write JSON to standard output.")
  var json = false

  func run() throws {
    let check = HostCheck(HostFacts(device: device), cpu: cpu)
    let report = CheckReport(check)
    Output.standard(json ? JSON.text(report) : report.lines.joined(separator: "\n"))
    if !check.canLend { throw ExitCode(1) }
  }
}
