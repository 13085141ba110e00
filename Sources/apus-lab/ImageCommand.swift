// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

/// `apus-lab image`: what must hold of the monitor's image.
struct ImageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "image", abstract: "Checks the monitor's image: size, segments, instructions.")

  @Flag(help: "Say only what is copied between a guest's exit and the next entry, and by whom.")
  var path = false

  func run() async throws {
    let image = MonitorImageCheck(project: try Project.current())
    if path {
      let (check, offences) = try await image.exitPath()
      for offence in offences { print(offence) }
      try report([check])
    } else {
      try report(await image.run())
    }
  }

  private func report(_ checks: [Report.Check]) throws {
    for check in checks {
      print("\(check.passed ? "passed" : "FAILED") \(check.name): \(check.detail)")
    }
    if !checks.allSatisfy(\.passed) { throw ExitCode.failure }
  }
}
