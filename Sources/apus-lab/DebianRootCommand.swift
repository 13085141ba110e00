// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

/// `apus-lab debian-root`.
struct DebianRootCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "debian-root",
    abstract: "Makes a disk with a stock Debian, for a guest of the scenario debian-root.",
    discussion: "With Debian's mmdebstrap, from the machine's own mirror, in build/debian-root.")

  func run() async throws {
    let terminal = Terminal()
    try await DebianSetup(for: .debianRoot, terminal: terminal).run()
    try await DebianRoot(project: try Project.current(), terminal: terminal).build()
  }
}
