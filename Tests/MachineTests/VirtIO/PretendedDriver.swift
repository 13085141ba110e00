// SPDX-License-Identifier: Apache-2.0
@testable import Machine

/// Memory of a guest, and a driver in it that puts into a virtqueue whatever a test wants.
///
/// Two regions, with a hole between them: 64 KiB from 0, and 4 KiB from 1 MiB.
final class PretendedDriver: @unchecked Sendable {
  let memory: GuestMemory
  private let bytes = UnsafeMutableRawPointer.allocate(byteCount: 0x1_1000, alignment: 4096)
  let layout: VirtQueue.Layout

  init(size: UInt16 = 8) {
    bytes.initializeMemory(as: UInt8.self, repeating: 0, count: 0x1_1000)
    memory = GuestMemory(regions: [
      .init(guest: 0..<0x1_0000, host: bytes),
      .init(guest: 0x10_0000..<0x10_1000, host: bytes + 0x1_0000),
    ])
    layout = .init(size: size, descriptors: 0x1000, available: 0x2000, used: 0x3000)
  }

  deinit { bytes.deallocate() }

  func queue() throws -> VirtQueue { try VirtQueue(layout, in: memory) }

  func store<Number: FixedWidthInteger>(_ value: Number, at address: UInt64) {
    memory.bytes(at: address, size: MemoryLayout<Number>.size)?.storeBytes(
      of: value.littleEndian, as: Number.self)
  }

  func load<Number: FixedWidthInteger>(_ type: Number.Type, at address: UInt64) -> Number {
    memory.bytes(at: address, size: MemoryLayout<Number>.size)?.loadUnaligned(as: type) ?? 0
  }

  /// Flags of a descriptor: 1 there is a next one, 2 the device writes, 4 it is a table of others.
  func describe(
    _ index: UInt64, address: UInt64, length: UInt32, flags: UInt16 = 0, next: UInt16 = 0,
    table: UInt64 = 0x1000
  ) {
    store(address, at: table + 16 * index)
    store(length, at: table + 16 * index + 8)
    store(flags, at: table + 16 * index + 12)
    store(next, at: table + 16 * index + 14)
  }

  /// Makes the chain that begins at `head` available.
  func offer(_ head: UInt16) {
    let index = load(UInt16.self, at: layout.available + 2)
    store(head, at: layout.available + 4 + 2 * UInt64(index % layout.size))
    store(index &+ 1, at: layout.available + 2)
  }

  var usedIndex: UInt16 { load(UInt16.self, at: layout.used + 2) }

  /// The last chain that was handed back, and how much of it was written.
  var lastUsed: (head: UInt32, written: UInt32) {
    let place = layout.used + 4 + 8 * UInt64((usedIndex &- 1) % layout.size)
    return (load(UInt32.self, at: place), load(UInt32.self, at: place + 4))
  }
}
