// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// A function of the PCI bus, the only one of its device.
protocol PCIFunction: AnyObject, Sendable {
  func readConfiguration(_ offset: Int, size: Int) -> UInt64
  func writeConfiguration(_ offset: Int, _ value: UInt64, size: Int)
}

/// The bridge between processor and bus 0, by which Linux tells that there is a bus.
final class PCIHostBridge: PCIFunction {
  /// QEMU's generic host bridge.
  private let configuration = PCIConfiguration(vendor: 0x1b36, device: 0x0008, classCode: 0x0600)

  func readConfiguration(_ offset: Int, size: Int) -> UInt64 {
    configuration.read(offset, size: size)
  }

  func writeConfiguration(_ offset: Int, _ value: UInt64, size: Int) {}
}

/// Ports 0xcf8 to 0xcff: configuration mechanism 1 (PCI Local Bus Specification 3.0, 3.2.2.3.2), and among
/// them the reset register.
final class PCIConfigurationPorts: Device {
  private let functions: [any PCIFunction]
  private let reset: ResetControl
  private let address = Mutex<UInt32>(0)

  static let count: UInt64 = 8

  /// `functions`: those of devices 0, 1 … of bus 0.
  init(_ functions: [any PCIFunction], reset: ResetControl) {
    self.functions = functions
    self.reset = reset
  }

  func read(_ offset: Int, size: Int) -> UInt64 {
    if offset == 0, size == 4 { return UInt64(address.withLock { $0 }) }
    if offset == Self.resetOffset, size == 1 { return UInt64(reset.read(0)) }
    guard let (function, register) = target(offset) else { return .max }
    return function.readConfiguration(register, size: size)
  }

  func write(_ offset: Int, _ value: UInt64, size: Int) {
    if offset == 0, size == 4 {
      address.withLock { $0 = UInt32(truncatingIfNeeded: value) }
    } else if offset == Self.resetOffset, size == 1 {
      reset.write(0, UInt8(truncatingIfNeeded: value))
    } else if let (function, register) = target(offset) {
      function.writeConfiguration(register, value, size: size)
    }
  }

  private static let resetOffset = Int(Port.reset - Port.pciConfiguration)

  /// What the data port stands for at the moment.
  private func target(_ offset: Int) -> (any PCIFunction, register: Int)? {
    let address = address.withLock { $0 }
    // Enabled, bus 0, function 0.
    guard offset >= 4, address & 0x80ff_0700 == 0x8000_0000 else { return nil }
    let device = Int(address >> 11 & 0x1f)
    guard device < functions.count else { return nil }
    return (functions[device], Int(address & 0xfc) + offset - 4)
  }
}
