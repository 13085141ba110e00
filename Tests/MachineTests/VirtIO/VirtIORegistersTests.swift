// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

/// Offsets are those of struct virtio_pci_common_cfg, bits of the status those of 2.1 of Virtual I/O Device 1.2.
@Suite("The common configuration of a virtio device")
struct VirtIORegistersTests {
  private var registers = VirtIORegisters(features: 1 << 9, queueSizes: [256, 64], vectors: 3)

  private func features(_ registers: inout VirtIORegisters) -> UInt64 {
    (0..<2 as Range<UInt64>).reduce(0) {
      _ = registers.write(0x00, $1, size: 4)
      return $0 | registers.read(0x04) << (32 * $1)
    }
  }

  private func take(_ features: UInt64, _ registers: inout VirtIORegisters) {
    for half in 0..<2 as Range<UInt64> {
      _ = registers.write(0x08, half, size: 4)
      _ = registers.write(0x0c, features >> (32 * half) & 0xffff_ffff, size: 4)
    }
  }

  @Test("offers the device's features and version 1, and nothing beyond 64 bits")
  mutating func offered() {
    #expect(features(&registers) == 1 << 32 | 1 << 9)
    _ = registers.write(0x00, 2, size: 4)
    #expect(registers.read(0x04) == 0)
    #expect(registers.read(0x12) == 2)
  }

  @Test("keeps FEATURES_OK where all was offered and version 1 is among it")
  mutating func acceptable() {
    take(1 << 32 | 1 << 9, &registers)
    #expect(registers.write(0x14, 1 | 2 | 8, size: 1) == nil)
    #expect(registers.read(0x14) == 11)
    // They are final now.
    take(0, &registers)
    #expect(registers.features == 1 << 32 | 1 << 9)
  }

  @Test(
    "drops FEATURES_OK otherwise, and then does not start",
    arguments: [0, 1 << 9, 1 << 32 | 1 << 7])
  mutating func unacceptable(features: UInt64) {
    var registers = registers
    take(features, &registers)
    #expect(registers.write(0x14, 1 | 2 | 8, size: 1) == nil)
    #expect(registers.read(0x14) == 3)
    #expect(registers.write(0x14, 1 | 2 | 8 | 4, size: 1) == nil)
  }

  @Test("has a place for each queue, and takes no more descriptors than it has")
  mutating func queues() {
    for (queue, most) in [(0, 256), (1, 64)] as [(UInt64, UInt64)] {
      _ = registers.write(0x16, queue, size: 2)
      #expect(registers.read(0x18) == most)
      #expect(registers.read(0x1e) == queue)
      _ = registers.write(0x18, 0x8000, size: 2)
      #expect(registers.read(0x18) == most)
      _ = registers.write(0x18, 16, size: 2)
      #expect(registers.read(0x18) == 16)
    }
    _ = registers.write(0x16, 2, size: 2)
    #expect(registers.read(0x18) == 0)
    _ = registers.write(0x18, 16, size: 2)
  }

  @Test("takes addresses whole and in halves")
  mutating func addresses() {
    _ = registers.write(0x20, 0x1234_5000, size: 4)
    _ = registers.write(0x24, 0x1, size: 4)
    _ = registers.write(0x28, 0x2_0000_2000, size: 8)
    _ = registers.write(0x34, 0x3, size: 4)
    _ = registers.write(0x30, 0x3000, size: 4)
    let layout = registers.queues[0].layout
    #expect(layout.descriptors == 0x1_1234_5000)
    #expect(layout.available == 0x2_0000_2000)
    #expect(layout.used == 0x3_0000_3000)
    #expect(registers.read(0x24) == 1)
  }

  @Test("knows the vectors that there are, and answers with none for others")
  mutating func vectors() {
    for (offered, kept) in [(2, 2), (3, 0xffff), (0xffff, 0xffff)] as [(UInt64, UInt64)] {
      _ = registers.write(0x1a, offered, size: 2)
      #expect(registers.read(0x1a) == kept)
      _ = registers.write(0x10, offered, size: 2)
      #expect(registers.read(0x10) == kept)
    }
  }

  @Test("starts once, with DRIVER_OK, and leaves the queues alone from then on")
  mutating func start() {
    take(1 << 32, &registers)
    _ = registers.write(0x14, 1 | 2 | 8, size: 1)
    _ = registers.write(0x1c, 1, size: 2)
    #expect(registers.write(0x14, 15, size: 1) == .start)
    #expect(registers.write(0x14, 15, size: 1) == nil)
    _ = registers.write(0x20, 0x7000, size: 4)
    #expect(registers.queues[0].layout.descriptors == 0)
    #expect(registers.queues[0].isEnabled)
  }

  @Test("is as at first after a reset, and a need for one stands until then")
  mutating func reset() {
    take(1 << 32, &registers)
    _ = registers.write(0x14, 11, size: 1)
    registers.needReset()
    #expect(registers.read(0x14) == 64 | 11)
    #expect(registers.write(0x14, 15, size: 1) == nil)
    #expect(registers.write(0x14, 0, size: 1) == .reset)
    #expect(registers.read(0x14) == 0)
    #expect(registers.features == 0)
    #expect(features(&registers) == 1 << 32 | 1 << 9)
    // The guest cannot say that the device needs one.
    _ = registers.write(0x14, 64, size: 1)
    #expect(registers.read(0x14) == 0)
  }
}
