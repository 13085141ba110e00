// SPDX-License-Identifier: Apache-2.0
import Testing
import VMX

/// SDM vol. 3, 25.6.9: reads of 0 to 0x1fff, of 0xc0000000 to 0xc0001fff, then writes; 1 KiB each.
@Suite("The MSR bitmaps")
struct MSRBitmapTests {
  @Test(
    "Have an MSR's bits where the manual says",
    arguments: [
      (0x0, 0, 0b1), (0x10, 0x2, 0b1), (0x1b, 0x3, 0b1000), (0x6e0, 0xdc, 0b1),
      (0x80b, 0x101, 0b1000), (0x838, 0x107, 0b1), (0x1fff, 0x3ff, 0b1000_0000),
      (0xc000_0080, 0x410, 0b1), (0xc000_0102, 0x420, 0b100), (0xc000_1fff, 0x7ff, 0b1000_0000),
    ] as [(UInt32, Int, UInt8)])
  func position(msr: UInt32, byte: Int, mask: UInt8) {
    let pages = TestPages()
    MSRBitmap.set(pages.base, msr, reads: true, writes: true)
    #expect(pages[byte, as: UInt8.self] == mask)
    #expect(pages[byte + 0x800, as: UInt8.self] == mask)
    MSRBitmap.set(pages.base, msr, reads: true, writes: false)
    #expect(pages[byte, as: UInt8.self] == mask)
    #expect(pages[byte + 0x800, as: UInt8.self] == 0)
    MSRBitmap.set(pages.base, msr, reads: false, writes: true)
    #expect(pages[byte, as: UInt8.self] == 0)
    #expect(pages[byte + 0x800, as: UInt8.self] == mask)
    #expect((0..<4096).allSatisfy { $0 == byte + 0x800 || pages[$0, as: UInt8.self] == 0 })
  }

  @Test("Leave an MSR's neighbours alone, and one that they do not cover exits")
  func neighbours() {
    let pages = TestPages()
    pages.fill(0xff)
    MSRBitmap.set(pages.base, 0xc000_0101, reads: false, writes: false)
    #expect(pages[0x420, as: UInt8.self] == 0b1111_1101)
    #expect(pages[0xc20, as: UInt8.self] == 0b1111_1101)
    for msr in [0x2000, 0xbfff_ffff, 0xc000_2000, 0xc001_0117, 0x4b56_4d00] as [UInt32] {
      #expect(MSRBitmap.readBit(of: msr) == nil)
      MSRBitmap.set(pages.base, msr, reads: false, writes: false)
    }
    let changed = (0..<4096).filter { pages[$0, as: UInt8.self] != 0xff }
    #expect(changed == [0x420, 0xc20])
  }
}
