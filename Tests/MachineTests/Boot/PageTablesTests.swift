// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("The first page tables")
struct PageTablesTests {
  private static let base: UInt64 = 0x9000

  /// Walks the tables as a processor does (Intel SDM 3A, 4.5); nil: not mapped.
  private func translate(_ address: UInt64) -> UInt64? {
    let tables = PageTables.encoded(at: Self.base)
    var table = Self.base
    for shift in [39, 30, 21] as [UInt64] {
      let index = address >> shift & 0x1ff
      let offset = Int(table - Self.base + index * 8)
      let entry = tables.number(at: offset, as: UInt64.self)
      guard entry & 0b11 == 0b11 else { return nil }
      if entry & 0x80 != 0 {
        return entry & 0x000f_ffff_ffe0_0000 | address & 0x1f_ffff
      }
      table = entry & 0x000f_ffff_ffff_f000
    }
    return nil
  }

  @Test(
    "map the first 4 GiB to themselves",
    arguments: [0, 0x1000, 0x1f_ffff, 0x20_0000, 0x3fff_ffff, 0x4000_0000, 0xffff_ffff] as [UInt64])
  func identity(address: UInt64) {
    #expect(translate(address) == address)
  }

  @Test("map nothing above")
  func above() {
    #expect(translate(0x1_0000_0000) == nil)
    #expect(translate(0x80_0000_0000) == nil)
  }

  @Test("fit between the zero page and the command line")
  func size() {
    #expect(PageTables.encoded(at: Self.base).count == 6 * 4096)
    #expect(Self.base + 6 * 4096 <= 0x2_0000)
  }
}
