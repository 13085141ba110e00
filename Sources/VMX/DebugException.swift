// SPDX-License-Identifier: Apache-2.0
import X86

/// A #DB that exits has not changed DR6 and DR7 yet; its qualification says how it would have.
/// SDM vol. 3, table 28-1 and 18.2.3.
public enum DebugException {
  /// B0 to B3, BD and BS.
  static var conditions: UInt64 { 0x600f }
  /// The general detect enable in DR7, which the processor clears for the handler.
  static var generalDetect: UInt64 { 1 << 13 }

  /// B0 to B3 say what met this exception; BD and BS stay until software clears them.
  public static func dr6(_ old: UInt64, qualification: UInt64) -> UInt64 {
    old & ~0xf | qualification & conditions
  }
  /// BS in the pending debug exceptions. SDM vol. 3, table 25-4.
  static var pendingSingleStep: UInt64 { 1 << 14 }

  public static func dr7(_ old: UInt64) -> UInt64 { old & ~generalDetect }
}

extension VMCS {
  /// Brings DR7 and the guest's place to where delivering the #DB starts; DR6 is given back.
  func settleDebugException(dr6: UInt64) -> UInt64 {
    self[.dr7] = DebugException.dr7(self[.dr7])
    // INT1 is a trap: its handler returns behind it.
    if EventInjection.kind(self[.exitInterruption]) == .privilegedException {
      self[.rip] &+= UInt64(self[.exitInstructionLength])
    }
    // An entry with TF under the shadow of STI or MOV SS is checked for this. SDM vol. 3, 27.3.1.5.
    if RFLAGS(rawValue: self[.rflags]).contains(.trap),
      self[.interruptibility] & Interruptibility.shadow != 0
    {
      self[.pendingDebugExceptions] |= DebugException.pendingSingleStep
    }
    return DebugException.dr6(dr6, qualification: self[.exitQualification])
  }
}

/// The guest's interruptibility state. SDM vol. 3, table 25-3.
enum Interruptibility {
  static var bySTI: UInt32 { 1 << 0 }
  static var byMOVSS: UInt32 { 1 << 1 }
  static var byNMI: UInt32 { 1 << 3 }
  static var shadow: UInt32 { bySTI | byMOVSS }
}

/// The guest's activity state. SDM vol. 3, 25.4.2.
enum ActivityState {
  static var active: UInt32 { 0 }
  static var halted: UInt32 { 1 }
}
