// SPDX-License-Identifier: Apache-2.0
import Guests
import StandaloneEntry

/// The small guests: one image with a table of names, linked for GUEST_IMAGE.
enum GuestImage {
  private static var image: Block {
    Block(address: guestsLoad, size: Int(guestsEnd - guestsStart))
  }

  struct Guest {
    var start: UInt64
    var startsInLongMode: Bool
  }

  /// The guest of this name; a dash stands for the underscore of its label.
  static func find(_ name: StaticString) -> Guest? {
    let size = Int(GUEST_ENTRY_SIZE)
    for entry in 0..<Int(guestsTableEnd - guestsStart) / size {
      if matches(name, at: entry * size + 16) {
        return Guest(
          start: image.load(at: entry * size),
          startsInLongMode: image.load(UInt64.self, at: entry * size + 8)
            == UInt64(GUEST_STARTS_LONG))
      }
    }
    return nil
  }

  private static func matches(_ name: StaticString, at offset: Int) -> Bool {
    for index in 0..<name.utf8CodeUnitCount {
      let wanted = name.byte(index) == UInt8(ascii: "-") ? UInt8(ascii: "_") : name.byte(index)
      guard image.load(UInt8.self, at: offset + index) == wanted else { return false }
    }
    return image.load(UInt8.self, at: offset + name.utf8CodeUnitCount) == 0
  }

  /// The image, and what a guest in long mode expects: page tables for 4 GiB in pages of
  /// 2 MiB, and a GDT.
  static func install(in memory: Block) {
    memory.copy(image.size, from: image, at: 0, to: Int(GUEST_IMAGE))
    let root = Int(GUEST_PAGE_TABLES)
    let presentWritable: UInt64 = 3
    memory.store(UInt64(root + 0x1000) | presentWritable, at: root)
    for directory in 0..<4 {
      memory.store(
        UInt64(root + 0x2000 + directory * 4096) | presentWritable,
        at: root + 0x1000 + directory * 8)
    }
    let large: UInt64 = 0x80
    for page in 0..<2048 {
      memory.store(UInt64(page) << 21 | large | presentWritable, at: root + 0x2000 + page * 8)
    }
    let descriptors: [UInt64] = [
      0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff, 0x00cf_9b00_0000_ffff,
    ]
    for (index, descriptor) in descriptors.enumerated() {
      memory.store(descriptor, at: Int(GUEST_GDT) + index * 8)
    }
  }
}
