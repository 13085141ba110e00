// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

/// Offsets are those of the PCI Local Bus Specification 3.0, 6.1.
@Suite("The PCI bus")
struct PCITests {
  private final class Function: PCIFunction {
    func readConfiguration(_ offset: Int, size: Int) -> UInt64 { UInt64(offset) }
    func writeConfiguration(_ offset: Int, _ value: UInt64, size: Int) {}
  }

  private func ports(reset: @escaping @Sendable () -> Void = {}) -> PCIConfigurationPorts {
    PCIConfigurationPorts([PCIHostBridge(), Function()], reset: ResetControl(reset: reset))
  }

  @Test("is found by configuration mechanism 1, as Linux looks for it")
  func mechanism() {
    let ports = ports()
    ports.write(3, 0x01, size: 1)
    ports.write(0, 0x8000_0000, size: 4)
    #expect(ports.read(0, size: 4) == 0x8000_0000)
    // A bridge to the host: class 0x0600.
    ports.write(0, 0x8000_0008, size: 4)
    #expect(ports.read(6, size: 2) == 0x0600)
    ports.write(0, 0x8000_0804, size: 4)
    #expect(ports.read(4, size: 4) == 4)
    #expect(ports.read(7, size: 1) == 7)
  }

  @Test(
    "has nothing where no function is: other buses, devices, functions, and without the enable bit",
    arguments: [0x8001_0000, 0x8000_1000, 0x8000_0100, 0x8000_0900, 0x0000_0000] as [UInt64])
  func absent(address: UInt64) {
    let ports = ports()
    ports.write(0, address, size: 4)
    #expect(ports.read(4, size: 4) == .max)
    ports.write(4, 0, size: 4)
  }

  @Test("leaves the reset register where it is, and takes no address for one")
  func reset() {
    nonisolated(unsafe) var count = 0
    let ports = ports { count += 1 }
    ports.write(0, 0x8000_0600, size: 4)
    #expect(count == 0)
    ports.write(1, 0x06, size: 1)
    #expect(count == 1)
  }

  @Test("tells the size of a device's memory by the bits that do not change")
  func baseAddress() {
    var configuration = PCIConfiguration(vendor: 0x1af4, device: 0x1042, classCode: 0x0100)
    configuration.setMemory(at: 0xd000_0000, size: 0x8000)
    configuration.write(0x10, 0xffff_ffff, size: 4)
    #expect(configuration.read(0x10, size: 4) == 0xffff_8000)
    configuration.write(0x10, 0xd000_0000, size: 4)
    #expect(configuration.read(0x10, size: 4) == 0xd000_0000)
    configuration.write(0x14, 0xffff_ffff, size: 4)
    #expect(configuration.read(0x14, size: 4) == 0)
    configuration.write(0x00, 0, size: 4)
    #expect(configuration.read(0x00, size: 4) == 0x1042_1af4)
    #expect(configuration.read(0xfe, size: 4) == 0xffff_0000)
    configuration.write(0xff, 0xffff_ffff, size: 4)
  }

  @Test("links capabilities to a list")
  func capabilities() {
    var configuration = PCIConfiguration(vendor: 1, device: 2, classCode: 3)
    #expect(configuration.read(0x06, size: 2) == 0)
    let first = configuration.addCapability(0x09, body: [3, 1, 2])
    let second = configuration.addCapability(0x11, body: [1, 0], writable: [0, 0xc0])
    #expect(configuration.read(0x06, size: 2) == 0x10)
    #expect(configuration.read(0x34, size: 1) == UInt64(first))
    #expect(configuration.read(first, size: 2) == 0x09 | UInt64(second) << 8)
    #expect(configuration.read(second, size: 2) == 0x11)
    #expect(second % 4 == 0)
    configuration.write(second + 2, 0xffff, size: 2)
    #expect(configuration.read(second + 2, size: 2) == 0xc001)
  }
}
