// SPDX-License-Identifier: Apache-2.0

/// A segment that is loaded, of a 64-bit little-endian ELF file (ELF-64 Object File Format, 1.5).
struct ELFSegment: Equatable {
  var address: UInt64
  var fileOffset: Int
  /// Bytes in memory.
  var size: UInt64
  var isWritable: Bool
  var isExecutable: Bool

  static func all(in file: [UInt8], named name: String) throws(LabError) -> [ELFSegment] {
    guard file.count >= 64, file.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]) else {
      throw .malformed(file: name, reason: "is not a 64-bit ELF file")
    }
    let table = Int(file.number(at: 0x20, bytes: 8))
    let entrySize = Int(file.number(at: 0x36, bytes: 2))
    let count = Int(file.number(at: 0x38, bytes: 2))
    guard entrySize >= 56, table + count * entrySize <= file.count else {
      throw .malformed(file: name, reason: "has its program headers beyond its end")
    }
    return (0..<count).map { table + $0 * entrySize }
      .filter { file.number(at: $0, bytes: 4) == 1 }  // PT_LOAD
      .map { entry in
        let flags = file.number(at: entry + 4, bytes: 4)
        return ELFSegment(
          address: file.number(at: entry + 16, bytes: 8),
          fileOffset: Int(file.number(at: entry + 8, bytes: 8)),
          size: file.number(at: entry + 40, bytes: 8),
          isWritable: flags & 2 != 0, isExecutable: flags & 1 != 0)
      }
  }
}

extension [UInt8] {
  /// An unsigned little-endian number.
  func number(at offset: Int, bytes: Int) -> UInt64 {
    self[offset..<(offset + bytes)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
