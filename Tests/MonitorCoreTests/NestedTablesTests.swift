// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

@testable import MonitorCore

@Suite("Nested page tables")
struct NestedTablesTests {
  let memory = PretendedMemory(size: 1 << 20)
  let processor: PretendedProcessor
  let tables: NestedTables<PretendedProcessor, PretendedTables>

  init() {
    processor = PretendedProcessor(memory)
    tables = NestedTables(processor, root: 0x1000)
  }

  /// Pages 0x10000, 0x11000 and so on, with old content.
  func free(_ count: UInt64) -> FreeTables {
    var free = FreeTables()
    for page in 0..<count {
      let address = 0x1_0000 + page * 0x1000
      for word in UInt64(1)..<512 { memory[address + word * 8, as: UInt64.self] = .max }
      memory[address, as: UInt64.self] = page == count - 1 ? 0 : address + 0x1000
    }
    free.add(chain: count == 0 ? 0 : 0x1_0000, processor)
    return free
  }

  @Test("Nothing is mapped at first")
  func empty() {
    #expect(tables.translate(0) == nil)
    #expect(tables.translate(0xffff_ffff_f000) == nil)
  }

  @Test(
    "A page of each size is found by all its bytes and no others",
    arguments: [
      (1, 0x1000, 0x12_3456_7000, 0x55_5000, 3), (2, 0x20_0000, 0x7_8020_0000, 0x40_0000, 2),
      (3, 0x4000_0000, 0x80_4000_0000, 0xc000_0000, 1),
    ] as [(Int, UInt64, UInt64, UInt64, UInt64)])
  func sizes(level: Int, size: UInt64, guest: UInt64, physical: UInt64, tablesNeeded: UInt64) {
    var free = free(tablesNeeded)
    #expect(
      tables.map(
        GuestPhysical(guest), to: HostPhysical(physical), level: level, writable: true, free: &free)
    )
    #expect(free.first == 0, "as many tables as there are levels above")
    for offset in [0, 1, size / 2, size - 1] {
      #expect(
        tables.translate(GuestPhysical(guest + offset))
          == .init(physical: HostPhysical(physical + offset), isWritable: true))
    }
    #expect(tables.translate(GuestPhysical(guest - 1)) == nil)
    #expect(tables.translate(GuestPhysical(guest + size)) == nil)
  }

  @Test("Indices are nine bits of the address for each level")
  func indices() {
    var free = free(3)
    // 511, 1, 2, 3 from the top.
    #expect(tables.map(0xff80_4040_3000, to: 0x9000, level: 1, writable: false, free: &free))
    #expect(memory[0x1000 + 511 * 8, as: UInt64.self] == 0x1_0300)
    #expect(memory[0x1_0000 + 1 * 8, as: UInt64.self] == 0x1_1300)
    #expect(memory[0x1_1000 + 2 * 8, as: UInt64.self] == 0x1_2300)
    #expect(memory[0x1_2000 + 3 * 8, as: UInt64.self] == 0x9500)
    #expect(tables.translate(0xff80_4040_3abc) == .init(physical: 0x9abc, isWritable: false))
  }

  @Test("Addresses of more than 48 bits are not memory")
  func wide() {
    var free = free(3)
    #expect(tables.map(0, to: 0x9000, level: 1, writable: true, free: &free))
    #expect(tables.translate(GuestPhysical(1 << 48)) == nil)
    #expect(tables.translate(GuestPhysical(.max)) == nil)
  }

  @Test("A fresh table is empty, whatever was in its page")
  func fresh() {
    var free = free(3)
    #expect(tables.map(0, to: 0x9000, level: 1, writable: true, free: &free))
    #expect((1..<512).allSatisfy { tables.translate(GuestPhysical(UInt64($0) * 0x1000)) == nil })
  }

  @Test("Without a free table nothing is mapped, and what was mapped stays")
  func shortage() {
    var free = free(3)
    #expect(tables.map(0, to: 0x9000, level: 1, writable: true, free: &free))
    #expect(!tables.map(0x4000_0000, to: 0xa000, level: 1, writable: true, free: &free))
    #expect(tables.translate(0) != nil)
    #expect(tables.translate(0x4000_0000) == nil)
    // In a table that is there already, pages find room.
    #expect(tables.map(0x1000, to: 0xb000, level: 1, writable: true, free: &free))
  }

  @Test("What is unmapped is gone, its neighbours stay, and tables that are left empty are named")
  func unmap() {
    var emptied = FreeTables()
    var free = free(4)
    for page in UInt64(0)..<4 {
      #expect(
        tables.map(
          GuestPhysical(page * 0x1000), to: HostPhysical(0x10_0000 + page * 0x1000), level: 1,
          writable: true, free: &free))
    }
    #expect(tables.map(0x4000_0000, to: 0x4000_0000, level: 3, writable: true, free: &free))
    tables.unmap(from: 0x1000, to: 0x3000, emptied: &emptied)
    #expect(emptied.first == 0)
    #expect(tables.translate(0) != nil)
    #expect(tables.translate(0x1000) == nil)
    #expect(tables.translate(0x2000) == nil)
    #expect(tables.translate(0x3000) != nil)
    tables.unmap(from: 0, to: GuestPhysical(1 << 48), emptied: &emptied)
    #expect(tables.translate(0x3000) == nil)
    #expect(tables.translate(0x4000_0000) == nil)
    // The three that the first pages needed, once each.
    var count = 0
    while emptied.take(processor) != nil { count += 1 }
    #expect(count == 3)
  }

  @Test("A table that another slot still needs stays")
  func shared() {
    var free = free(3)
    var emptied = FreeTables()
    #expect(tables.map(0x1000, to: 0x9000, level: 1, writable: true, free: &free))
    #expect(tables.map(0x5000, to: 0xa000, level: 1, writable: true, free: &free))
    tables.unmap(from: 0x1000, to: 0x2000, emptied: &emptied)
    #expect(emptied.first == 0)
    #expect(tables.translate(0x5000) == .init(physical: 0xa000, isWritable: true))
  }

  @Test("A large page that is made read-only becomes small ones, of which one may be let again")
  func protect() {
    var free = free(3)
    #expect(tables.map(0x20_0000, to: 0x40_0000, level: 2, writable: true, free: &free))
    #expect(tables.protect(from: 0x20_0000, to: 0x40_0000, writable: false, free: &free))
    #expect(tables.allowWrites(to: 0x20_3abc))
    for page in UInt64(0)..<512 {
      #expect(
        tables.translate(0x20_0000 + page * 0x1000)
          == .init(physical: 0x40_0000 + page * 0x1000, isWritable: page == 3))
    }
    #expect(tables.protect(from: 0x20_0000, to: 0x40_0000, writable: true, free: &free))
    #expect(tables.translate(0x3f_ffff) == .init(physical: 0x5f_ffff, isWritable: true))
  }

  @Test("Without a table a large page cannot become small ones")
  func protectShortage() {
    var free = free(2)
    #expect(tables.map(0x20_0000, to: 0x40_0000, level: 2, writable: true, free: &free))
    #expect(!tables.protect(from: 0x20_0000, to: 0x40_0000, writable: false, free: &free))
    #expect(!tables.allowWrites(to: 0x20_0000), "it is no small page")
    #expect(tables.translate(0x20_0000)?.isWritable == true)
  }

  @Test("Chains of free pages are put before what is left")
  func chains() {
    var free = free(2)
    memory[0x2_0000, as: UInt64.self] = 0x2_1000
    memory[0x2_1000, as: UInt64.self] = 0
    free.add(chain: 0x2_0000, processor)
    free.add(chain: 0, processor)
    var taken: [UInt64] = []
    while let page = free.take(processor) { taken.append(page.rawValue) }
    #expect(taken == [0x2_0000, 0x2_1000, 0x1_0000, 0x1_1000])
  }
}
