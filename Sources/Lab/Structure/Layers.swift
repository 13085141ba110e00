// SPDX-License-Identifier: Apache-2.0

/// Folders of one module in the order of their layers, the lowest first. A file may use what its own
/// folder and the folders before it declare. Between modules, Package.swift says the same.
public struct Layers: Sendable {
  /// The module's folder, from the top of the project.
  public let module: String
  public let folders: [String]
  /// The folders of the modules that it imports.
  public let imports: [String]
  /// Not only types: in modules with scripts in strings, members' names are words like others.
  let looksAtMembers: Bool

  /// docs/Architecture.md says what each folder is for.
  public static let monitor = Layers(
    module: "Sources/MonitorCore",
    folders: [
      "Hardware", "State", "Memory", "Completion", "Interrupts", "Registers", "Emulation", "Ioctls",
      "Run",
    ],
    imports: ["Sources/Devices", "Sources/Emulator", "Sources/X86"], looksAtMembers: true)

  public static let lab = Layers(
    module: "Sources/Lab",
    folders: [
      "Workbench", "Structure", "Reports", "Debian", "Images", "Emulators", "Measurement",
      "Counting",
      "Standalone", "Scenarios", "Costs", "Demo", "Bench",
    ],
    imports: ["Sources/Figures", "Sources/Generator"], looksAtMembers: false)

  public static let machine = Layers(
    module: "Sources/Machine",
    folders: [
      "Support", "Boot", "Guest", "Host", "Report", "Trace", "Hypervisor", "Devices", "PCI",
      "VirtIO",
      "Control", "Run", "Latency",
    ],
    imports: ["Sources/Figures", "Sources/KVM"], looksAtMembers: false)

  public static let all = [monitor, lab, machine]
}
