// SPDX-License-Identifier: Apache-2.0

/// Page tables that map the first 4 GiB to themselves in pages of 2 MiB (Intel SDM 3A, 4.5).
enum PageTables {
  static let pageCount = 6

  /// The tables' bytes, for the address at which they will lie.
  static func encoded(at address: UInt64) -> [UInt8] {
    let presentAndWritable: UInt64 = 0b11
    let largePage: UInt64 = 1 << 7
    var bytes = [UInt8](repeating: 0, count: pageCount * 4096)
    bytes.store((address + 0x1000) | presentAndWritable, at: 0)
    for directory in 0..<4 {
      let target = address + 0x2000 + UInt64(directory) * 0x1000
      bytes.store(target | presentAndWritable, at: 0x1000 + directory * 8)
    }
    for page in 0..<2048 {
      let target = UInt64(page) << 21
      bytes.store(target | largePage | presentAndWritable, at: 0x2000 + page * 8)
    }
    return bytes
  }
}
