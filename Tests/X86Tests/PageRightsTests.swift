// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

@Suite("Rights and reserved bits of a guest's pages")
struct PageRightsTests {
  /// Bits of CR0, CR4 and EFER by their numbers in the manual.
  static let paging: UInt64 = 1 << 31 | 1
  static let writeProtect: UInt64 = 1 << 16
  static let pae: UInt64 = 1 << 5
  static let smep: UInt64 = 1 << 20
  static let smap: UInt64 = 1 << 21
  static let longMode: UInt64 = 1 << 10 | 1 << 8
  static let noExecuteEnable: UInt64 = 1 << 11

  enum Result: Equatable {
    case allowed
    case fault(UInt32)
  }
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// The rights in an entry: 1 present, 2 writable, 4 user, 8 no execution.
    let upper: UInt64
    let lower: UInt64
    let access: Access
    let cr0: UInt64
    let cr4: UInt64
    let expected: Result
    init(
      _ name: String, upper: UInt64 = 7, lower: UInt64, _ access: Access, cr0: UInt64 = 0,
      cr4: UInt64 = 0, _ expected: Result
    ) {
      self.name = name
      self.upper = upper
      self.lower = lower
      self.access = access
      self.cr0 = cr0
      self.cr4 = cr4
      self.expected = expected
    }
    var testDescription: String { name }
  }

  static let cases = [
    Case("user reads a user page", lower: 5, Access(isUser: true), .allowed),
    Case("user writes a read-only page", lower: 5, Access(isWrite: true, isUser: true), .fault(7)),
    Case("user writes", lower: 7, Access(isWrite: true, isUser: true), .allowed),
    Case("user reads a supervisor page", lower: 3, Access(isUser: true), .fault(5)),
    Case(
      "the upper level counts as well: U/S", upper: 3, lower: 7, Access(isUser: true), .fault(5)),
    Case(
      "the upper level counts as well: R/W", upper: 5, lower: 7,
      Access(isWrite: true, isUser: true), .fault(7)),
    Case(
      "the upper level counts as well: NX", upper: 15, lower: 7,
      Access(isUser: true, isExecute: true), .fault(0x15)),
    Case(
      "user runs a page with NX", lower: 15, Access(isUser: true, isExecute: true), .fault(0x15)),
    Case("user runs a page", lower: 5, Access(isUser: true, isExecute: true), .allowed),
    Case(
      "user runs a supervisor page", lower: 3, Access(isUser: true, isExecute: true), .fault(0x15)),
    Case(
      "supervisor writes a read-only page without WP", lower: 1, Access(isWrite: true), .allowed),
    Case(
      "supervisor writes a read-only page with WP", lower: 1, Access(isWrite: true),
      cr0: writeProtect, .fault(3)),
    Case("supervisor runs a user page", lower: 5, Access(isExecute: true), .allowed),
    Case(
      "supervisor runs a user page under SMEP", lower: 5, Access(isExecute: true), cr4: smep,
      .fault(0x11)),
    Case(
      "supervisor runs its own page under SMEP", lower: 1, Access(isExecute: true), cr4: smep,
      .allowed),
    Case("supervisor runs its own page with NX", lower: 9, Access(isExecute: true), .fault(0x11)),
    Case("supervisor reads a user page under SMAP", lower: 5, Access(), cr4: smap, .fault(1)),
    Case(
      "supervisor writes a user page under SMAP", lower: 7, Access(isWrite: true), cr4: smap,
      .fault(3)),
    Case(
      "supervisor reads a user page under SMAP with AC", lower: 5, Access(overridesSMAP: true),
      cr4: smap, .allowed),
    Case("SMAP does not concern a fetch", lower: 5, Access(isExecute: true), cr4: smap, .allowed),
    Case("SMAP does not concern user code", lower: 5, Access(isUser: true), cr4: smap, .allowed),
    Case(
      "AC is not WP", lower: 5, Access(isWrite: true, overridesSMAP: true), cr0: writeProtect,
      cr4: smap, .fault(3)),
  ]

  static func entry(_ address: UInt64, _ rights: UInt64) -> UInt64 {
    address | rights & 7 | (rights & 8) << 60
  }

  @Test("Follow the manual", arguments: cases)
  func rights(of row: Case) throws {
    let mode = PagingMode(
      cr0: Self.paging | row.cr0, cr3: 0x1000, cr4: Self.pae | row.cr4,
      efer: Self.longMode | Self.noExecuteEnable)
    let memory: TableEntries = [
      0x1000: 0x2007, 0x2000: 0x3007, 0x3000: Self.entry(0x4000, row.upper),
      0x4000: Self.entry(0x5000, row.lower),
    ]
    var result = Result.allowed
    do throws(PageFault) {
      _ = try PageWalk.translate(0x123, mode: mode, access: row.access, memory: memory)
    } catch {
      result = .fault(error.errorCode)
    }
    #expect(result == row.expected)
  }

  @Test(
    "A reserved bit faults as such",
    arguments: [
      // CR4, EFER, MAXPHYADDR, and an entry at each level from the top.
      ("NX without EFER.NXE", pae, longMode, 52, [0x2007, 0x3007, 0x4007, 1 << 63 | 0x5007]),
      ("PS at level 4", pae, longMode, 52, [0x2087, 0x3007, 0x4007, 0x5007]),
      ("PS at level 5", pae | 1 << 12, longMode, 52, [0x2087, 0x3007, 0x4007, 0x5007, 0x6007]),
      ("a 2 MiB page that is not aligned", pae, longMode, 52, [0x2007, 0x3007, 0x10_0087]),
      ("a 1 GiB page that is not aligned", pae, longMode, 52, [0x2007, 0x2000_0087]),
      ("beyond MAXPHYADDR", pae, longMode, 40, [0x2007, 1 << 40 | 0x3007, 0x4007, 0x5007]),
      ("PAE: bit 52", pae, noExecuteEnable, 52, [0x2001, 1 << 52 | 0x3007, 0x4007]),
      ("PAE: R/W in the first level", pae, noExecuteEnable, 52, [0x2003, 0x3007, 0x4007]),
      ("PAE: NX in the first level", pae, noExecuteEnable, 52, [1 << 63 | 0x2001, 0x3007, 0x4007]),
      ("PSE: bit 21", 1 << 4, 0, 52, [0x20_0087]),
    ] as [(String, UInt64, UInt64, UInt8, [UInt64])])
  func reserved(
    name: String, cr4: UInt64, efer: UInt64, physicalAddressBits: UInt8, entries: [UInt64]
  ) {
    let mode = PagingMode(
      cr0: Self.paging, cr3: 0x1000, cr4: cr4, efer: efer,
      physicalAddressBits: physicalAddressBits)
    var memory: TableEntries = [:]
    for (level, entry) in entries.enumerated() {
      memory.entries[0x1000 * UInt64(level + 1)] = entry
    }
    #expect(throws: PageFault(errorCode: 9), "\(name)") {
      try PageWalk.translate(0, mode: mode, access: Access(), memory: memory)
    }
  }

  @Test("Bits that long mode ignores are ignored, and a large page's PAT bit is no address")
  func ignored() throws {
    let mode = PagingMode(cr0: Self.paging, cr3: 0xfff, cr4: Self.pae, efer: Self.longMode)
    let memory: TableEntries = [0: 0x7ff0_0000_0000_2007, 0x2000: 0x3e07, 0x3000: 0x60_1087]
    #expect(
      try PageWalk.translate(0x1234, mode: mode, access: Access(), memory: memory) == 0x60_1234)
  }
}
