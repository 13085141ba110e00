// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

/// Page tables: entries by their physical addresses, none elsewhere.
struct TableEntries: PhysicalMemory, ExpressibleByDictionaryLiteral {
  var entries: [UInt64: UInt64]
  init(dictionaryLiteral pairs: (UInt64, UInt64)...) {
    entries = Dictionary(uniqueKeysWithValues: pairs)
  }
  func read(_ address: GuestPhysical, size: Int) -> UInt64? {
    entries[address.rawValue].map { size == 8 ? $0 : $0 & 0xffff_ffff }
  }
}

@Suite("The walk through a guest's page tables")
struct PageWalkTests {
  static let none = PagingMode(cr0: 0x11, cr3: 0, cr4: 0, efer: 0)
  static let twoLevel = PagingMode(cr0: 0x8001_0001, cr3: 0x1018, cr4: 0x10, efer: 0)
  static let extended = PagingMode(cr0: 0x8001_0001, cr3: 0x1020, cr4: 0x20, efer: 0x800)
  static let fourLevel = PagingMode(cr0: 0x8001_0001, cr3: 0x1018, cr4: 0x20, efer: 0xd00)
  static let fiveLevel = PagingMode(cr0: 0x8001_0001, cr3: 0x1000, cr4: 0x1020, efer: 0xd00)

  static func translate(
    _ linear: Linear, _ mode: PagingMode, _ memory: TableEntries, _ access: Access = Access()
  ) throws -> GuestPhysical {
    try PageWalk.translate(linear, mode: mode, access: access, memory: memory)
  }

  @Test("Without paging an address is its own, with 32 bits")
  func noPaging() throws {
    #expect(try Self.translate(0xfff0_1234, Self.none, [:]) == 0xfff0_1234)
    #expect(try Self.translate(0x1_0000_1234, Self.none, [:]) == 0x1234)
  }

  @Test("Two levels lead to pages of 4 KiB, and of 4 MiB with PSE")
  func twoLevels() throws {
    // 0x00c0_3456: directory entry 3, table entry 3.
    let memory: TableEntries = [0x100c: 0x5067, 0x500c: 0x9_8067, 0x1010: 0x1200_6087]
    #expect(try Self.translate(0x00c0_3456, Self.twoLevel, memory) == 0x9_8456)
    // PSE-36: bits 13 to 16 of the entry, 3, are bits 32 to 35.
    #expect(try Self.translate(0x0112_3456, Self.twoLevel, memory) == 0x3_1212_3456)
    let withoutPSE = PagingMode(cr0: 0x8000_0001, cr3: 0x1000, cr4: 0, efer: 0)
    let table: TableEntries = [0x1010: 0x6087, 0x648c: 0x7007]
    #expect(try Self.translate(0x0112_3456, withoutPSE, table) == 0x7456)
  }

  @Test("PAE has four entries at CR3, and pages of 4 KiB and 2 MiB")
  func physicalAddressExtension() throws {
    let memory: TableEntries = [
      0x1038: 0x2001, 0x2008: 0x3007, 0x3018: 0x4_5678_9007, 0x2010: 0x8_0020_0087,
    ]
    #expect(try Self.translate(0xc020_3abc, Self.extended, memory) == 0x4_5678_9abc)
    #expect(try Self.translate(0xc041_2345, Self.extended, memory) == 0x8_0021_2345)
  }

  @Test("Four levels lead to pages of 4 KiB, 2 MiB and 1 GiB")
  func fourLevels() throws {
    let memory: TableEntries = [
      0x1ff8: 0x2067, 0x2ff0: 0x3067, 0x3008: 0x4067, 0x4018: 0x8000_000f_ffff_f067,
      0x3010: 0xe000_00e7, 0x2ff8: 0x40_4000_01e7,
    ]
    #expect(try Self.translate(0xffff_ffff_8020_3abc, Self.fourLevel, memory) == 0xf_ffff_fabc)
    #expect(try Self.translate(0xffff_ffff_8055_5555, Self.fourLevel, memory) == 0xe015_5555)
    #expect(try Self.translate(0xffff_ffff_d234_5678, Self.fourLevel, memory) == 0x40_5234_5678)
  }

  @Test("Five levels lead further")
  func fiveLevels() throws {
    let memory: TableEntries = [
      0x1800: 0x2007, 0x2008: 0x3007, 0x3000: 0x4007, 0x4000: 0x5007, 0x5008: 0x6007,
    ]
    #expect(try Self.translate(0xff00_0080_0000_1123, Self.fiveLevel, memory) == 0x6123)
  }

  @Test("Canonical addresses are those that the mode has bits for")
  func canonical() {
    #expect(Self.fourLevel.isCanonical(0x7fff_ffff_ffff))
    #expect(!Self.fourLevel.isCanonical(0x8000_0000_0000))
    #expect(Self.fourLevel.isCanonical(0xffff_8000_0000_0000))
    #expect(Self.fiveLevel.isCanonical(0x00ff_ffff_ffff_ffff))
    #expect(!Self.fiveLevel.isCanonical(0x0100_0000_0000_0000))
    #expect(!Self.twoLevel.isCanonical(0x1_0000_0000))
  }

  @Test("An entry that is absent, or lies where no memory is, faults as not present")
  func absent() {
    #expect(throws: PageFault(errorCode: 0)) { try Self.translate(0, Self.fourLevel, [:]) }
    #expect(throws: PageFault(errorCode: 0)) {
      try Self.translate(0, Self.twoLevel, [0x1000: 0x5066])
    }
    #expect(throws: PageFault(errorCode: 6)) {
      try Self.translate(0, Self.fourLevel, [:], Access(isWrite: true, isUser: true))
    }
    #expect(throws: PageFault(errorCode: 0x14)) {
      try Self.translate(0, Self.fourLevel, [:], Access(isUser: true, isExecute: true))
    }
    // Without NX and SMEP a fetch is not told apart.
    #expect(throws: PageFault(errorCode: 4)) {
      try Self.translate(0, Self.twoLevel, [:], Access(isUser: true, isExecute: true))
    }
  }
}
