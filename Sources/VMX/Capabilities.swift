// SPDX-License-Identifier: Apache-2.0
import X86

/// VT-x's capability MSRs. SDM vol. 3, appendix A.
extension MSR {
  public static var vmxBasic: MSR { MSR(rawValue: 0x480) }
  public static var vmxPinControls: MSR { MSR(rawValue: 0x481) }
  public static var vmxPrimaryControls: MSR { MSR(rawValue: 0x482) }
  public static var vmxExitControls: MSR { MSR(rawValue: 0x483) }
  public static var vmxEntryControls: MSR { MSR(rawValue: 0x484) }
  public static var vmxMiscellaneous: MSR { MSR(rawValue: 0x485) }
  public static var vmxCR0Fixed0: MSR { MSR(rawValue: 0x486) }
  public static var vmxCR0Fixed1: MSR { MSR(rawValue: 0x487) }
  public static var vmxCR4Fixed0: MSR { MSR(rawValue: 0x488) }
  public static var vmxCR4Fixed1: MSR { MSR(rawValue: 0x489) }
  public static var vmxSecondaryControls: MSR { MSR(rawValue: 0x48b) }
  public static var vmxTranslation: MSR { MSR(rawValue: 0x48c) }
  public static var vmxTruePinControls: MSR { MSR(rawValue: 0x48d) }
  public static var vmxTruePrimaryControls: MSR { MSR(rawValue: 0x48e) }
  public static var vmxTrueExitControls: MSR { MSR(rawValue: 0x48f) }
  public static var vmxTrueEntryControls: MSR { MSR(rawValue: 0x490) }
}

/// What a processor's VT-x can do, as far as the monitor uses it: each control is held against
/// the MSR that allows it, once per CPU.
public struct Capabilities: Equatable, Sendable {
  public let revision: UInt32
  public let pin: UInt32
  public let primary: UInt32
  public let secondary: UInt32
  public let exit: UInt32
  public let entry: UInt32
  public let hasPreemptionTimer: Bool
  /// The preemption timer counts down when this bit of the TSC changes.
  public let preemptionTimerShift: UInt8
  public let hasGigabytePages: Bool
  public let invalidation: InvalidationExtent
  /// Bits of CR4 that may be 1 in VMX operation.
  public let possibleCR4: UInt64

  /// `signature` is CPUID.1:EAX, `read` is RDMSR. The first thing that is missing is named.
  public init(signature: UInt32, _ read: (MSR) -> UInt64) throws(MissingControl) {
    let basic = read(.vmxBasic)
    revision = UInt32(truncatingIfNeeded: basic & 0x7fff_ffff)
    // Without it INS and OUTS do not say which address and segment they use.
    guard basic & 1 << 54 != 0 else { throw ControlWord.basic.missing(bit: 54) }
    let hasTrue = basic & 1 << 55 != 0

    let pinCapability = ControlCapability(read(hasTrue ? .vmxTruePinControls : .vmxPinControls))
    let pin = try pinCapability.settle(
      .pin, needed: PinControls.needed, changing: .changing)
    self.pin = pin
    primary = try ControlCapability(
      read(hasTrue ? .vmxTruePrimaryControls : .vmxPrimaryControls)
    ).settle(
      .primary, needed: PrimaryControls.needed, changing: .changing, unwanted: .unwanted)
    secondary = try ControlCapability(read(.vmxSecondaryControls)).settle(
      .secondary, needed: SecondaryControls.needed, wanted: .wanted, unwanted: .unwanted)
    exit = try ControlCapability(read(hasTrue ? .vmxTrueExitControls : .vmxExitControls)).settle(
      .exit, needed: ExitControls.needed)
    entry = try ControlCapability(
      read(hasTrue ? .vmxTrueEntryControls : .vmxEntryControls)
    ).settle(.entry, needed: EntryControls.needed, changing: .changing)

    let translation = read(.vmxTranslation)
    let lacking = TranslationCapability.needed & ~translation
    if lacking != 0 {
      throw ControlWord.translation.missing(bit: lacking.trailingZeroBitCount)
    }
    hasGigabytePages = translation & TranslationCapability.gigabytePages != 0
    if translation & TranslationCapability.singleContext != 0 {
      invalidation = .single
    } else if translation & TranslationCapability.everyContext != 0 {
      invalidation = .everything
    } else {
      throw ControlWord.translation.missing(bit: 26)
    }

    // Exits store EFER.LMA in the entry controls: a guest switches to long mode by itself.
    let miscellaneous = read(.vmxMiscellaneous)
    guard miscellaneous & 1 << 5 != 0 else { throw ControlWord.miscellaneous.missing(bit: 5) }
    preemptionTimerShift = UInt8(miscellaneous & 0x1f)
    let timer = PinControls.preemptionTimer.rawValue
    hasPreemptionTimer =
      pinCapability.possible & timer != 0 && !PreemptionTimer.isBroken(signature: signature)
    possibleCR4 = read(.vmxCR4Fixed1)
  }
}

/// IA32_VMX_EPT_VPID_CAP. SDM vol. 3, A.10.
enum TranslationCapability {
  static var fourLevels: UInt64 { 1 << 6 }
  static var writeBack: UInt64 { 1 << 14 }
  static var largePages: UInt64 { 1 << 16 }
  static var gigabytePages: UInt64 { 1 << 17 }
  static var invalidation: UInt64 { 1 << 20 }
  static var singleContext: UInt64 { 1 << 25 }
  static var everyContext: UInt64 { 1 << 26 }

  static var needed: UInt64 { fourLevels | writeBack | largePages | invalidation }
}
