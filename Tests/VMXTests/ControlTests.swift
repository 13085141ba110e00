// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import VMX

/// The capability MSRs of a processor, by number.
struct CapabilityMSRs {
  var values: [UInt32: UInt64]

  /// As measured on Bochs' models. MSRs 0x486 to 0x489 as SDM vol. 3, A.7 and A.8 have them.
  static var ivyBridge: Self {
    Self(values: [
      0x480: 0x00d8_1000_0000_002b, 0x481: 0x0000_007f_0000_0016, 0x482: 0xf7f9_fffe_0401_e172,
      0x483: 0x007f_ffff_0003_6dff, 0x484: 0x0000_ffff_0000_11ff, 0x485: 0x0004_01e0,
      0x486: 0x8000_0021, 0x487: 0xffff_ffff, 0x488: 0x2000, 0x489: 0x0017_67ff,
      0x48b: 0x0000_08ff_0000_0000, 0x48c: 0x0000_0f01_0611_4141, 0x48d: 0x0000_007f_0000_0016,
      0x48e: 0xf7f9_fffe_0400_6172, 0x48f: 0x007f_ffff_0003_6dfb, 0x490: 0x0000_ffff_0000_11fb,
    ])
  }
  static var haswell: Self {
    var msrs = ivyBridge
    msrs.values[0x485] = 0x2004_01e0
    msrs.values[0x48b] = 0x0004_7fff_0000_0000
    msrs.values[0x48c] = 0x0000_0f01_0633_4141
    return msrs
  }

  func read(_ msr: MSR) -> UInt64 { values[msr.rawValue] ?? 0 }
  /// A Core i7-3770K's signature.
  var signature: UInt32 = 0x306a9
  var capabilities: Capabilities {
    get throws(MissingControl) { try Capabilities(signature: signature, read) }
  }

  /// What is missing after clearing `bits` of an MSR or setting others.
  func missing(_ msr: UInt32, clearing: UInt64 = 0, setting: UInt64 = 0) -> UInt32? {
    var changed = self
    changed.values[msr] = (values[msr] ?? 0) & ~clearing | setting
    do throws(MissingControl) {
      _ = try changed.capabilities
      return nil
    } catch { return error.number }
  }
}

@Suite("Controls and what the processor allows")
struct ControlTests {
  @Test("The processor of seed 003 can do all that is needed, and controls are as they should be")
  func ivyBridge() throws {
    let found = try CapabilityMSRs.ivyBridge.capabilities
    #expect(found.revision == 0x2b)
    // NMI exiting 3, virtual NMIs 5; 1, 2 and 4 are always 1.
    #expect(found.pin == 0x3e)
    #expect(found.pin & 1 == 0, "interrupts do not exit")
    // MWAIT 10, I/O bitmaps 25, MSR bitmaps 28, MONITOR 29, secondary 31; always 0x04006172.
    #expect(found.primary == 0xb600_6572)
    // EPT 1, RDTSCP 3, VPID 5, WBINVD 6, unrestricted guest 7.
    #expect(found.secondary == 0xea)
    // Save debug controls 2, 64-bit host 9, save and load PAT 18, 19 and EFER 20, 21.
    #expect(found.exit == 0x003f_6fff)
    #expect(found.entry == 0x0000_d1ff)
    #expect(!found.hasGigabytePages)
    #expect(found.hasPreemptionTimer)
    #expect(found.preemptionTimerShift == 0)
    #expect(found.invalidation == .single)
    #expect(found.possibleCR4 == 0x0017_67ff)
  }

  @Test("INVPCID and pages of 1 GiB are used where the processor has them")
  func haswell() throws {
    let found = try CapabilityMSRs.haswell.capabilities
    #expect(found.secondary == 0x10ea)
    #expect(found.hasGigabytePages)
  }

  @Test("Controls that must stay 1 without the TRUE capability MSRs are found in time")
  func withoutTrueControls() {
    // Bit 55 of IA32_VMX_BASIC; CR3-load exiting is then always 1.
    let msrs = CapabilityMSRs.ivyBridge
    #expect(msrs.missing(0x480, clearing: 1 << 55) == APUS_CONTROL_CR3_LOAD_EXITING.rawValue)
  }

  @Test(
    "What is missing is named",
    arguments: [
      (0x48d, 1 << 35, 0, APUS_CONTROL_NMI_EXITING), (0x48d, 1 << 37, 0, APUS_CONTROL_VIRTUAL_NMIS),
      (0x48d, 0, 1, APUS_CONTROL_INTERRUPT_EXITING),
      (0x48e, 1 << 34, 0, APUS_CONTROL_INTERRUPT_WINDOW),
      (0x48e, 1 << 39, 0, APUS_CONTROL_HLT_EXITING), (0x48e, 0, 1 << 7, APUS_CONTROL_HLT_EXITING),
      (0x48e, 1 << 57, 0, APUS_CONTROL_IO_BITMAPS), (0x48e, 1 << 60, 0, APUS_CONTROL_MSR_BITMAPS),
      (0x48e, 1 << 63, 0, APUS_CONTROL_SECONDARY), (0x48e, 0, 1 << 21, APUS_CONTROL_TPR_SHADOW),
      (0x48e, 1 << 53, 0, APUS_CONTROL_TPR_SHADOW),
      (0x48d, 1 << 32, 0, APUS_CONTROL_INTERRUPT_EXITING),
      (0x48e, 1 << 35, 0, APUS_CONTROL_TSC_OFFSETTING),
      (0x48b, 1 << 33, 0, APUS_CONTROL_EPT), (0x48b, 1 << 37, 0, APUS_CONTROL_VPID),
      (0x48b, 1 << 39, 0, APUS_CONTROL_UNRESTRICTED_GUEST),
      (0x48f, 1 << 41, 0, APUS_CONTROL_HOST_LONG), (0x48f, 1 << 53, 0, APUS_CONTROL_HOST_EFER),
      (0x490, 1 << 41, 0, APUS_CONTROL_GUEST_LONG), (0x490, 0, 1 << 9, APUS_CONTROL_GUEST_LONG),
      (0x490, 1 << 47, 0, APUS_CONTROL_LOAD_EFER), (0x48c, 1 << 6, 0, APUS_CONTROL_EPT_FOUR_LEVELS),
      (0x48c, 1 << 16, 0, APUS_CONTROL_EPT_LARGE_PAGES), (0x48c, 1 << 20, 0, APUS_CONTROL_INVEPT),
      (0x48c, 3 << 25, 0, APUS_CONTROL_INVEPT_EXTENT),
      (0x480, 1 << 54, 0, APUS_CONTROL_STRING_INFORMATION),
      (0x485, 1 << 5, 0, APUS_CONTROL_STORE_LMA),
    ] as [(UInt32, UInt64, UInt64, apus_control)])
  func missing(msr: UInt32, clearing: UInt64, setting: UInt64, control: apus_control) {
    #expect(
      CapabilityMSRs.ivyBridge.missing(msr, clearing: clearing, setting: setting)
        == control.rawValue)
  }

  @Test("All that can be missing has words")
  func words() {
    let words: [(UInt32, UInt32)] = [
      (1, PinControls.needed.union(.changing).rawValue),
      (2, PrimaryControls.needed.union(.changing).union(.unwanted).rawValue),
      (3, SecondaryControls.needed.union(.unwanted).rawValue), (4, ExitControls.needed.rawValue),
      (5, EntryControls.needed.union(.changing).rawValue),
      (6, UInt32(TranslationCapability.needed) | 1 << 26),
    ]
    for (word, bits) in words {
      for bit in UInt32(0)..<32 where bits & 1 << bit != 0 {
        let text = String(cString: apus_control_words(UInt64(word << 8 | bit)))
        #expect(text != "?", "word \(word), bit \(bit)")
      }
    }
    #expect(String(cString: apus_control_words(0x999)) == "?")
  }

  @Test("INVEPT of everything serves where there is none of one context")
  func invalidation() throws {
    var msrs = CapabilityMSRs.ivyBridge
    msrs.values[0x48c, default: 0] &= ~(1 << 25)
    #expect(try msrs.capabilities.invalidation == .everything)
  }

  @Test("The exceptions that can loop inside the processor exit, and machine checks")
  func exceptions() {
    #expect(InterceptedExceptions.mask == 1 << 1 | 1 << 17 | 1 << 18)
  }
}
