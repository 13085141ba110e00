// SPDX-License-Identifier: Apache-2.0

/// Folders of one module in the order of their layers, the lowest first. A file may use what its own
/// folder and the folders before it declare. Between modules, Package.swift says the same.
public struct Layers: Sendable {
  /// The module's folder, from the top of the project.
  public let module: String
  public let folders: [String]
  /// The folders of the modules that it imports.
  public let imports: [String]

  /// docs/Architecture.md says what each folder is for.
  public static let monitor = Layers(
    module: "Sources/MonitorCore",
    folders: [
      "Hardware", "State", "Memory", "Completion", "Interrupts", "Registers", "Emulation", "Ioctls",
      "Run",
    ],
    imports: ["Sources/Devices", "Sources/Emulator", "Sources/X86"])
}
