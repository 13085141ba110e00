// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

/// `apus-lab debug-kernel`.
struct DebugKernelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "debug-kernel",
    abstract: "Builds a host kernel with Linux's detectors of a driver's mistakes.",
    discussion: "From Debian's source, with Tests/DebugKernel/*.config, in build/debug-kernel.")

  func run() async throws {
    let terminal = Terminal()
    try await DebianSetup(for: .debugKernel, terminal: terminal).run()
    let kernel = try await DebugKernel(project: try Project.current(), terminal: terminal).build()
    terminal.step("kernel with detectors: \(kernel.release) (\(kernel.version))")
  }
}
