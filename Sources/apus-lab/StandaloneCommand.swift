// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

extension StandaloneMachine: ExpressibleByArgument {}

/// `apus-lab standalone`: the inner loop of work on the monitor.
struct StandaloneCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "standalone",
    abstract: "Boots the monitor without Linux and runs small guests on it.",
    discussion: """
      Needs what `make monitor standalone` builds. Logs are left in build/lab/standalone-amd and \
      build/lab/standalone-intel.
      """)

  @Option(help: "amd (QEMU, SVM) or intel (Bochs, VT-x).")
  var vendor: StandaloneMachine = .amd
  @Option(help: "Run this test only.")
  var only: String?
  @Option(help: "With --only: the first seed of that test's random operations.")
  var seed: UInt64?
  @Flag(help: "Name the tests.")
  var list = false
  @Option(help: "Run it so often, and fail if two runs do not say the same bytes.")
  var repeats: Int = 1
  @Option(help: "Seconds after which the machine is ended.")
  var timeout: Int = 60

  func validate() throws {
    guard repeats > 0 else { throw ValidationError("--repeats must be at least 1") }
    guard (only ?? "").utf8.count < 64 else { throw ValidationError("no test has that name") }
    guard seed == nil || only != nil else { throw ValidationError("--seed needs --only") }
  }

  func run() async throws {
    var run = StandaloneRun(project: try Project.current(), machine: vendor)
    run.commandLine =
      list ? "list" : [only, seed.map(String.init)].compactMap(\.self).joined(separator: " ")
    run.seconds = timeout
    let first = try await run.run { print($0) }
    if list { return }
    print("\(vendor.rawValue): \(first.duration)")
    var passed = first.passed
    if first.summary == nil { print("the machine did not reach its end within \(timeout) s") }
    for number in 1..<repeats {
      let again = try await run.run { _ in }
      if again.lines != first.lines {
        print("run \(number + 1) differs from run 1")
        passed = false
      }
    }
    if !passed { throw ExitCode.failure }
  }
}
