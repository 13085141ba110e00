// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Lab

/// `apus-lab layers`: which folder of a module uses which, and whether an arrow points upwards.
struct LayersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "layers",
    abstract:
      "Shows which folder of a module uses which, and fails where an arrow points upwards.")

  func run() throws {
    let project = try Project.current()
    var isBroken = false
    for layers in Layers.all {
      let check = try LayerCheck(layers, in: project)
      print(layers.module)
      for folder in layers.folders {
        let used = layers.folders.compactMap { other in
          check.uses[folder]?[other].map { "\(other) \($0)" }
        }
        print("  \(folder) -> \(used.isEmpty ? "nothing" : used.joined(separator: ", "))")
      }
      for violation in check.violations { print(violation) }
      if !check.violations.isEmpty { isBroken = true }
    }
    if isBroken { throw ExitCode.failure }
  }
}
