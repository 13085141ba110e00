// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// The command line of the lab: whole emulated machines, without special hardware.
@main struct ApusLab: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apus-lab",
    abstract: "Makes emulated machines and runs Apus in them.",
    subcommands: [
      SetupCommand.self, DebugKernelCommand.self, DebianRootCommand.self, DemoCommand.self,
      RunCommand.self,
      BenchCommand.self,
      ListCommand.self, ImageCommand.self,
      StandaloneCommand.self, CostsCommand.self, ProfileCommand.self,
      FuzzCommand.self, LayersCommand.self, TryCommand.self,
      ShellCommand.self,
    ])
}
