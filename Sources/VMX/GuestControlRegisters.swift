// SPDX-License-Identifier: Apache-2.0
import X86

/// CR0 and CR4 of a guest: which bits are its own, and which it only believes to have (guest/host
/// masks and read shadows, SDM vol. 3, 25.6.6). What it writes to its own bits does not exit.
public enum GuestControlRegisters {
  /// VMX operation demands NE (SDM vol. 3, A.7); the caches stay on.
  public static var ownedCR0: UInt64 {
    0xffff_ffff & ~CR0([.numericError, .notWriteThrough, .cacheDisable]).rawValue
  }
  public static func realCR0(_ value: UInt64) -> UInt64 {
    value & ownedCR0 | CR0.numericError.rawValue
  }

  /// What the guest's CPUID may offer (SDM vol. 3, 2.5) and concerns nobody else. Machine checks
  /// are the machine's: they stay on whatever the guest says.
  public static var ownedCR4: UInt64 {
    // VME, PVI, TSD, DE, PSE, PAE; PGE, PCE, OSFXSR, OSXMMEXCPT, UMIP; FSGSBASE, PCIDE, OSXSAVE;
    // SMEP, SMAP.
    0x3f | 0xf80 | 0x7_0000 | 0x30_0000
  }
  public static func realCR4(_ value: UInt64) -> UInt64 {
    value & ownedCR4 | CR4([.vmxEnable, .machineCheck]).rawValue
  }

  /// What the guest reads.
  public static func seen(real: UInt64, shadow: UInt64, owned: UInt64) -> UInt64 {
    real & owned | shadow & ~owned
  }
}

extension VMCS {
  var guestCR0: UInt64 {
    get {
      GuestControlRegisters.seen(
        real: self[.cr0], shadow: self[.cr0Shadow], owned: GuestControlRegisters.ownedCR0)
    }
    nonmutating set {
      self[.cr0] = GuestControlRegisters.realCR0(newValue)
      self[.cr0Shadow] = newValue
    }
  }

  var guestCR4: UInt64 {
    get {
      GuestControlRegisters.seen(
        real: self[.cr4], shadow: self[.cr4Shadow], owned: GuestControlRegisters.ownedCR4)
    }
    nonmutating set {
      self[.cr4] = GuestControlRegisters.realCR4(newValue)
      self[.cr4Shadow] = newValue
    }
  }

  /// Exits keep the entry control in step with EFER.LMA, so does this.
  var guestEFER: UInt64 {
    get { self[.efer] }
    nonmutating set {
      self[.efer] = newValue
      let long = EntryControls.guestIsLong.rawValue
      let isLong = EFER(rawValue: newValue).contains(.longModeActive)
      let controls = self[.entryControls]
      self[.entryControls] = isLong ? controls | long : controls & ~long
    }
  }
}
