// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Lab

/// `apus-lab layers`: which folder of the monitor uses which, and whether an arrow points upwards.
struct LayersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "layers",
    abstract:
      "Shows which folder of the monitor uses which, and fails where an arrow points upwards.")

  func run() throws {
    let layers = Layers.monitor
    let check = try LayerCheck(layers, in: try Project.current())
    for folder in layers.folders {
      let used = layers.folders.compactMap { other in
        check.uses[folder]?[other].map { "\(other) \($0)" }
      }
      print("\(folder) -> \(used.isEmpty ? "nothing" : used.joined(separator: ", "))")
    }
    for violation in check.violations { print(violation) }
    if !check.violations.isEmpty { throw ExitCode.failure }
  }
}
