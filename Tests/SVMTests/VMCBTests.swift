// SPDX-License-Identifier: Apache-2.0
import SVM
import Testing
import X86

/// Offsets are those of APM vol. 2, tables B-1 and B-2; the state save area begins at 0x400.
@Suite("The VMCB")
struct VMCBTests {
  @Test(
    "Fields of 8 bytes lie where the manual says",
    arguments: [
      (.portBitmap, 0x40), (.msrBitmap, 0x48), (.tscOffset, 0x50), (.virtualInterrupt, 0x60),
      (.interruptShadow, 0x68), (.exitCode, 0x70), (.exitInfo1, 0x78), (.exitInfo2, 0x80),
      (.exitInterruptInfo, 0x88), (.nestedPaging, 0x90), (.eventInjection, 0xa8),
      (.nestedCR3, 0xb0), (.nextRIP, 0xc8), (.efer, 0x400 + 0xd0), (.cr4, 0x400 + 0x148),
      (.cr3, 0x400 + 0x150), (.cr0, 0x400 + 0x158), (.dr7, 0x400 + 0x160), (.dr6, 0x400 + 0x168),
      (.rflags, 0x400 + 0x170), (.rip, 0x400 + 0x178), (.rsp, 0x400 + 0x1d8),
      (.rax, 0x400 + 0x1f8), (.star, 0x400 + 0x200), (.lstar, 0x400 + 0x208),
      (.cstar, 0x400 + 0x210), (.systemCallMask, 0x400 + 0x218), (.kernelGSBase, 0x400 + 0x220),
      (.systemEnterCS, 0x400 + 0x228), (.systemEnterESP, 0x400 + 0x230),
      (.systemEnterEIP, 0x400 + 0x238), (.cr2, 0x400 + 0x240), (.pageAttributeTable, 0x400 + 0x268),
      (.debugControl, 0x400 + 0x270),
    ] as [(VMCBField<UInt64>, Int)])
  func wideFields(field: VMCBField<UInt64>, offset: Int) {
    let pages = TestPages()
    let vmcb = VMCB(at: pages.base)
    pages[offset, as: UInt64.self] = 0x0123_4567_89ab_cdef
    #expect(vmcb[field] == 0x0123_4567_89ab_cdef)
    vmcb[field] = 0xfedc_ba98_7654_3210
    #expect(pages[offset, as: UInt64.self] == 0xfedc_ba98_7654_3210)
    if offset >= 8 { #expect(pages[offset - 8, as: UInt64.self] == 0) }
    #expect(pages[offset + 8, as: UInt64.self] == 0)
  }

  @Test(
    "Fields of 4 bytes lie where the manual says",
    arguments: [
      (.controlRegisterIntercepts, 0), (.debugRegisterIntercepts, 4), (.exceptionIntercepts, 8),
      (.intercepts1, 0xc), (.intercepts2, 0x10), (.intercepts3, 0x14), (.asid, 0x58),
      (.cleanBits, 0xc0),
    ] as [(VMCBField<UInt32>, Int)])
  func fields(field: VMCBField<UInt32>, offset: Int) {
    let pages = TestPages()
    VMCB(at: pages.base)[field] = 0xdead_beef
    #expect(pages[offset, as: UInt32.self] == 0xdead_beef)
    #expect(pages[offset + 4, as: UInt32.self] == 0)
  }

  @Test("TLB control and the privilege level are single bytes")
  func bytes() {
    let pages = TestPages()
    let vmcb = VMCB(at: pages.base)
    vmcb[.tlbControl] = 3
    vmcb[.currentPrivilegeLevel] = 2
    #expect(pages[0x5c, as: UInt32.self] == 3)
    #expect(pages[0x4c8, as: UInt64.self] == 0x0000_0000_0200_0000)
  }

  @Test(
    "Segments are 16 bytes each: selector, attributes, limit, base",
    arguments: [
      (.es, 0x400), (.cs, 0x410), (.ss, 0x420), (.ds, 0x430), (.fs, 0x440), (.gs, 0x450),
      (.ldtr, 0x470), (.tr, 0x490),
    ] as [(SegmentName, Int)])
  func segments(name: SegmentName, offset: Int) {
    let pages = TestPages()
    let vmcb = VMCB(at: pages.base)
    // A 64-bit code segment's second word: 0x00af9b00.
    let segment = Segment(
      selector: 0x1234, attributes: SegmentAttributes(rawValue: 0xa09b), limit: 0xffff_ffff,
      base: 0x1111_2222_3333_4444)
    vmcb[name] = segment
    #expect(pages[offset, as: UInt16.self] == 0x1234)
    #expect(pages[offset + 2, as: UInt16.self] == 0xa9b)
    #expect(pages[offset + 4, as: UInt32.self] == 0xffff_ffff)
    #expect(pages[offset + 8, as: UInt64.self] == 0x1111_2222_3333_4444)
    #expect(vmcb[name] == segment)
  }

  @Test("A segment that is not present is unusable, and an unusable one is stored as zero")
  func unusable() {
    let pages = TestPages()
    let vmcb = VMCB(at: pages.base)
    pages[0x432, as: UInt16.self] = 0
    #expect(vmcb[.ds].attributes.isUnusable)
    pages[0x432, as: UInt16.self] = 0xc93
    #expect(vmcb[.ds].attributes.rawValue == 0xc093)
    vmcb[.ds] = Segment(selector: 0, attributes: SegmentAttributes(rawValue: 0x1_c093), base: 7)
    #expect(pages[0x432, as: UInt16.self] == 0)
    #expect(pages[0x438, as: UInt64.self] == 7)
  }
}
