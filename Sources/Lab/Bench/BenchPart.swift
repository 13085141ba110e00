// SPDX-License-Identifier: Apache-2.0

/// A measurement of `apus-lab bench`, by the name of the file with its result.
public enum BenchPart: String, Sendable, Codable, CaseIterable {
  /// The monitor's instructions from exit to entry: `apus-lab costs`.
  case costs
  /// cyclictest on bare metal, KVM and Apus with SVM: `apus-lab demo`.
  case demo
  case interrupts = "ipi-cost"
  case switches = "switch-cost"
  case virtio = "qemu-exits"
  case devices = "device-interrupts-kvm"
  case exits = "exit-costs"
  /// The same as `demo` with VT-x.
  case demoIntel = "demo-intel"

  /// The scenario that measures it; nil where there is a command for it.
  var scenario: Scenario? {
    switch self {
    case .costs, .demo, .demoIntel: nil
    case .interrupts: .interruptCost
    case .switches: .switchCost
    case .virtio: .qemuBesideKVM
    case .devices: .deviceInterruptsBesideKVM
    case .exits: .exitCosts
    }
  }

  /// Where it leaves its result, in `build/lab` or in a directory with copies of such.
  func result(in directory: String) -> String? {
    ["\(directory)/\(rawValue).json", "\(directory)/\(rawValue)/result.json"]
      .first(where: Files.exists)
  }
}
