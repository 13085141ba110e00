// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

@testable import VMX

@Suite("Fields of the VMCS")
struct VMCSTests {
  @Test("Have the encodings of SDM vol. 3, B.1: 16 bits")
  func narrow() {
    let fields: [(VMCSField<UInt16>, UInt32)] = [
      (.virtualProcessorID, 0x0), (.hostES, 0xc00), (.hostCS, 0xc02), (.hostSS, 0xc04),
      (.hostDS, 0xc06), (.hostFS, 0xc08), (.hostGS, 0xc0a), (.hostTR, 0xc0c),
    ]
    for (field, encoding) in fields { #expect(field.encoding == encoding) }
  }

  @Test("Have the encodings of B.3: 32 bits")
  func words() {
    let fields: [(VMCSField<UInt32>, UInt32)] = [
      (.pinControls, 0x4000), (.primaryControls, 0x4002), (.exceptionBitmap, 0x4004),
      (.pageFaultMask, 0x4006), (.pageFaultMatch, 0x4008), (.cr3TargetCount, 0x400a),
      (.exitControls, 0x400c), (.exitMSRStoreCount, 0x400e), (.exitMSRLoadCount, 0x4010),
      (.entryControls, 0x4012), (.entryMSRLoadCount, 0x4014), (.entryInterruption, 0x4016),
      (.entryErrorCode, 0x4018), (.entryInstructionLength, 0x401a), (.secondaryControls, 0x401e),
      (.instructionError, 0x4400), (.exitReason, 0x4402), (.exitInterruption, 0x4404),
      (.exitErrorCode, 0x4406), (.interruptedEvent, 0x4408), (.interruptedErrorCode, 0x440a),
      (.exitInstructionLength, 0x440c), (.exitInstructionInformation, 0x440e),
      (.gdtrLimit, 0x4810), (.idtrLimit, 0x4812), (.interruptibility, 0x4824), (.activity, 0x4826),
      (.systemEnterCS, 0x482a), (.preemptionTimer, 0x482e), (.hostSystemEnterCS, 0x4c00),
    ]
    for (field, encoding) in fields { #expect(field.encoding == encoding) }
  }

  @Test("Have the encodings of B.2: 64 bits")
  func wide() {
    let fields: [(VMCSField<UInt64>, UInt32)] = [
      (.portBitmapA, 0x2000), (.portBitmapB, 0x2002), (.msrBitmap, 0x2004), (.tscOffset, 0x2010),
      (.eptPointer, 0x201a), (.guestPhysicalAddress, 0x2400), (.linkPointer, 0x2800),
      (.debugControl, 0x2802), (.pageAttributeTable, 0x2804), (.efer, 0x2806),
      (.pageDirectoryPointer(0), 0x280a), (.pageDirectoryPointer(3), 0x2810),
      (.hostPageAttributeTable, 0x2c00), (.hostEFER, 0x2c02),
    ]
    for (field, encoding) in fields { #expect(field.encoding == encoding) }
  }

  @Test("Have the encodings of B.4: natural width")
  func natural() {
    let fields: [(VMCSField<UInt64>, UInt32)] = [
      (.cr0Mask, 0x6000), (.cr4Mask, 0x6002), (.cr0Shadow, 0x6004), (.cr4Shadow, 0x6006),
      (.exitQualification, 0x6400), (.cr0, 0x6800), (.cr3, 0x6802), (.cr4, 0x6804),
      (.gdtrBase, 0x6816), (.idtrBase, 0x6818), (.dr7, 0x681a), (.rsp, 0x681c), (.rip, 0x681e),
      (.rflags, 0x6820), (.pendingDebugExceptions, 0x6822), (.systemEnterESP, 0x6824),
      (.systemEnterEIP, 0x6826), (.hostCR0, 0x6c00), (.hostCR3, 0x6c02), (.hostCR4, 0x6c04),
      (.hostFSBase, 0x6c06), (.hostGSBase, 0x6c08), (.hostTRBase, 0x6c0a), (.hostGDTRBase, 0x6c0c),
      (.hostIDTRBase, 0x6c0e), (.hostSystemEnterESP, 0x6c10), (.hostSystemEnterEIP, 0x6c12),
      (.hostRSP, 0x6c14), (.hostRIP, 0x6c16),
    ]
    for (field, encoding) in fields { #expect(field.encoding == encoding) }
  }

  @Test("A value that is too wide is cut off at the field's width")
  func width() {
    let pretended = PretendedVMX()
    pretended.fields[0x4402] = 0xffff_ffff_0000_001c
    #expect(VMCS(pretended)[.exitReason] == 0x1c)
  }

  @Test(
    "A segment register is four fields",
    arguments: [
      (.es, 0x800, 0x4800, 0x4814, 0x6806), (.cs, 0x802, 0x4802, 0x4816, 0x6808),
      (.ss, 0x804, 0x4804, 0x4818, 0x680a), (.ds, 0x806, 0x4806, 0x481a, 0x680c),
      (.fs, 0x808, 0x4808, 0x481c, 0x680e), (.gs, 0x80a, 0x480a, 0x481e, 0x6810),
      (.ldtr, 0x80c, 0x480c, 0x4820, 0x6812), (.tr, 0x80e, 0x480e, 0x4822, 0x6814),
    ] as [(SegmentName, UInt32, UInt32, UInt32, UInt32)])
  func segments(
    name: SegmentName, selector: UInt32, limit: UInt32, rights: UInt32, base: UInt32
  ) {
    let pretended = PretendedVMX()
    let segment = Segment(
      selector: 0x33, attributes: SegmentAttributes(rawValue: 0xa0fb), limit: 0xffff_ffff,
      base: 0x1234_5678_9abc)
    VMCS(pretended)[name] = segment
    #expect(
      pretended.fields == [
        selector: 0x33, limit: 0xffff_ffff, rights: 0xa0fb, base: 0x1234_5678_9abc,
      ])
    #expect(VMCS(pretended)[name] == segment)
  }

  /// SDM vol. 3, 27.3.1.2: type 2 is data that was not accessed; bit 16 is unusable.
  @Test("A usable segment counts as accessed, an unusable or system segment stays what it is")
  func accessed() {
    let vmcs = VMCS(PretendedVMX())
    for (raw, expected) in [(0xc092, 0xc093), (0x1_0092, 0x1_0092), (0x82, 0x82), (0x8b, 0x8b)] {
      vmcs[.ds] = Segment(attributes: SegmentAttributes(rawValue: UInt32(raw)))
      #expect(vmcs[.ds].attributes.rawValue == UInt32(expected))
    }
  }
}
