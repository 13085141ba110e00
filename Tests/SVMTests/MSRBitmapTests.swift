// SPDX-License-Identifier: Apache-2.0
import SVM
import Testing

/// APM vol. 2, 15.11: two bits for each MSR, the lower one for reads, in three blocks of 2 KiB.
@Suite("The MSR permission map")
struct MSRBitmapTests {
  @Test(
    "Has an MSR's bits where the manual says",
    arguments: [
      (0x0, 0, 0b11), (0x1b, 0x6, 0b1100_0000), (0x10, 0x4, 0b11), (0x1fff, 0x7ff, 0b1100_0000),
      (0x80b, 0x202, 0b1100_0000), (0xc000_0080, 0x820, 0b11), (0xc000_0102, 0x840, 0b11_0000),
      (0xc000_1fff, 0xfff, 0b1100_0000), (0xc001_0000, 0x1000, 0b11),
      (0xc001_0117, 0x1045, 0b1100_0000), (0xc001_1fff, 0x17ff, 0b1100_0000),
    ] as [(UInt32, Int, UInt8)])
  func position(msr: UInt32, byte: Int, mask: UInt8) {
    let pages = TestPages(2)
    MSRBitmap.set(pages.base, msr, reads: true, writes: true)
    #expect(pages[byte, as: UInt8.self] == mask)
    let read = mask & ~(mask << 1)
    MSRBitmap.set(pages.base, msr, reads: true, writes: false)
    #expect(pages[byte, as: UInt8.self] == read)
    MSRBitmap.set(pages.base, msr, reads: false, writes: true)
    #expect(pages[byte, as: UInt8.self] == mask & ~read)
    #expect((0..<8192).allSatisfy { $0 == byte || pages[$0, as: UInt8.self] == 0 })
  }

  @Test("Leaves its neighbours alone")
  func neighbours() {
    let pages = TestPages(2)
    pages.base.initializeMemory(as: UInt8.self, repeating: 0xff, count: 8192)
    MSRBitmap.set(pages.base, 0xc000_0101, reads: false, writes: false)
    #expect(pages[0x840, as: UInt8.self] == 0b1111_0011)
    #expect((0..<8192).allSatisfy { $0 == 0x840 || pages[$0, as: UInt8.self] == 0xff })
  }

  @Test(
    "Does not cover other MSRs: those always exit",
    arguments: [0x2000, 0x4b56_4d00, 0xbfff_ffff, 0xc000_2000, 0xc001_2000, 0xffff_ffff])
  func outside(msr: UInt32) {
    let pages = TestPages(2)
    MSRBitmap.set(pages.base, msr, reads: true, writes: true)
    #expect((0..<8192).allSatisfy { pages[$0, as: UInt8.self] == 0 })
    #expect(MSRBitmap.readBit(of: msr) == nil)
  }

  @Test("Is two pages long")
  func size() { #expect(MSRBitmap.size == 0x2000) }
}
