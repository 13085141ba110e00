// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

/// `apus-lab setup`.
struct SetupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "setup",
    abstract: "Installs the Debian packages that the lab needs and unpacks its kernel.")

  @Flag(help: "Leave out what only a developer needs: the headers of a second kernel, and Bochs.")
  var demo = false

  func run() async throws {
    let terminal = Terminal()
    try await DebianSetup(for: demo ? .demo : .development, terminal: terminal).run()
    let kernel = try await KernelPackage.cloud.prepare(in: try Project.current())
    terminal.step("kernel of the emulated machines: \(kernel.release) (\(kernel.version))")
  }
}
