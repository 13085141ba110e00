// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

/// `apus-lab try`: a script of the developer's in an emulated host.
struct TryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "try",
    abstract: "Boots an emulated host and runs a shell script in it.",
    discussion: """
      What has been built travels along: the driver (`load apus`), the monitor (in
      /lib/firmware/apus), `apus`, and a guest in /lab/guest (vmlinuz, initramfs). `load kvm-amd` \
      or `load kvm-intel` gives the host's own KVM. Logs are left in build/lab/try.
      """)

  @OptionGroup var machine: MachineOptions
  @Option(help: "The script; without it, one that only says what the machine is.")
  var script: String?
  @Option(name: .customShort("c"), help: "Shell commands instead of a script file.")
  var commands: String?

  func run() async throws {
    let terminal = Terminal()
    var workbench = try await machine.workbench(terminal: terminal)
    if let script { workbench.script = try Files.readText(script) }
    if let commands { workbench.script = commands + "\n" }
    if try await !workbench.run() { throw ExitCode.failure }
  }
}

/// `apus-lab shell`: the same, with a shell on this terminal.
struct ShellCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shell", abstract: "Boots an emulated host with a shell on this terminal.")

  @OptionGroup var machine: MachineOptions

  func run() async throws {
    try await machine.workbench(terminal: Terminal()).runInteractively()
  }
}
