// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Gives a virtual machine processors of its own on a Linux machine that is otherwise left alone.
@main
struct Apus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apus",
    abstract: "Runs a guest on processors that Linux gives up for it.",
    subcommands: [
      Run.self, Check.self, Pool.self, List.self, Top.self, Stop.self, Console.self, NMI.self,
      Change.self, Reclaim.self, Trace.self, Latency.self,
    ])
}
