// SPDX-License-Identifier: Apache-2.0

/// A device's table of interrupt messages (PCI Local Bus Specification 3.0, 6.8.2).
struct MSIXTable {
  struct Entry: Equatable {
    var address: UInt64 = 0
    var data: UInt32 = 0
    var isMasked = true
  }

  static let capability: UInt8 = 0x11
  static let entrySize = 16

  private(set) var entries: [Entry]

  init(count: Int) { entries = Array(repeating: Entry(), count: count) }

  /// 32 bits at a time; other accesses are none of the specification's.
  func read(_ offset: Int) -> UInt64 {
    guard offset / Self.entrySize < entries.count else { return 0 }
    let entry = entries[offset / Self.entrySize]
    return switch offset % Self.entrySize {
    case 0: entry.address & 0xffff_ffff
    case 4: entry.address >> 32
    case 8: UInt64(entry.data)
    default: entry.isMasked ? 1 : 0
    }
  }

  mutating func write(_ offset: Int, _ value: UInt64, size: Int) {
    let index = offset / Self.entrySize
    guard index < entries.count else { return }
    let low = value & 0xffff_ffff
    switch (offset % Self.entrySize, size) {
    case (0, 8): entries[index].address = value
    case (0, _): entries[index].address = entries[index].address & ~0xffff_ffff | low
    case (4, _): entries[index].address = entries[index].address & 0xffff_ffff | low << 32
    case (8, 8):
      entries[index].data = UInt32(low)
      entries[index].isMasked = value >> 32 & 1 != 0
    case (8, _): entries[index].data = UInt32(low)
    case (12, _): entries[index].isMasked = low & 1 != 0
    default: break
    }
  }
}
