// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

/// `apus-lab fuzz`.
struct FuzzCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "A million random privileged operations of guests on each vendor's processor.",
    discussion: """
      Needs what `make monitor standalone` builds. APUS_LAB_SEED=N repeats a run. Results are left in \
      build/lab/fuzz-amd.json and build/lab/fuzz-intel.json.
      """)

  @Option(help: "amd (QEMU, SVM) or intel (Bochs, VT-x); both if not said.")
  var vendor: StandaloneMachine?
  @Option(help: "Seconds after which a machine is ended.")
  var timeout: Int = 3000

  func run() async throws {
    var passed = true
    for machine in vendor.map({ [$0] }) ?? StandaloneMachine.allCases {
      var run = FuzzRun(
        project: try Project.current(), machine: machine, terminal: Terminal())
      run.seconds = timeout
      if try await !run.run() { passed = false }
    }
    if !passed { throw ExitCode.failure }
  }
}
