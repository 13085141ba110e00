// SPDX-License-Identifier: Apache-2.0

/// Pin-based VM-execution controls. SDM vol. 3, table 25-5.
public struct PinControls: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let externalInterruptExiting = Self(rawValue: 1 << 0)
  public static let nmiExiting = Self(rawValue: 1 << 3)
  public static let virtualNMIs = Self(rawValue: 1 << 5)
  public static let preemptionTimer = Self(rawValue: 1 << 6)

  /// A guest on a CPU of its own: no interrupt exits, but the NMI that asks for it.
  public static var needed: Self { [.nmiExiting, .virtualNMIs] }
  /// On while the guest's local APIC is emulated.
  public static var changing: Self { [.externalInterruptExiting] }
}

/// Primary processor-based VM-execution controls. SDM vol. 3, table 25-6.
public struct PrimaryControls: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let interruptWindowExiting = Self(rawValue: 1 << 2)
  public static let tscOffsetting = Self(rawValue: 1 << 3)
  public static let haltExiting = Self(rawValue: 1 << 7)
  public static let invlpgExiting = Self(rawValue: 1 << 9)
  public static let mwaitExiting = Self(rawValue: 1 << 10)
  public static let rdpmcExiting = Self(rawValue: 1 << 11)
  public static let rdtscExiting = Self(rawValue: 1 << 12)
  public static let cr3LoadExiting = Self(rawValue: 1 << 15)
  public static let cr3StoreExiting = Self(rawValue: 1 << 16)
  public static let cr8LoadExiting = Self(rawValue: 1 << 19)
  public static let cr8StoreExiting = Self(rawValue: 1 << 20)
  public static let tprShadow = Self(rawValue: 1 << 21)
  public static let nmiWindowExiting = Self(rawValue: 1 << 22)
  public static let debugRegisterExiting = Self(rawValue: 1 << 23)
  public static let portBitmaps = Self(rawValue: 1 << 25)
  public static let monitorTrapFlag = Self(rawValue: 1 << 27)
  public static let msrBitmaps = Self(rawValue: 1 << 28)
  public static let monitorExiting = Self(rawValue: 1 << 29)
  public static let pauseExiting = Self(rawValue: 1 << 30)
  public static let secondaryControls = Self(rawValue: 1 << 31)

  /// Ports and MSRs by bitmap; MONITOR and MWAIT could hold the CPU with interrupts off.
  public static var needed: Self {
    [.mwaitExiting, .portBitmaps, .msrBitmaps, .monitorExiting, .secondaryControls]
  }
  /// What comes and goes while a guest runs, so it must be possible both ways.
  public static var changing: Self {
    [
      .interruptWindowExiting, .nmiWindowExiting, .haltExiting, .debugRegisterExiting, .tprShadow,
      .tscOffsetting,
    ]
  }
  public static var unwanted: Self {
    [
      .invlpgExiting, .rdpmcExiting, .rdtscExiting, .cr3LoadExiting, .cr3StoreExiting,
      .cr8LoadExiting, .cr8StoreExiting, .monitorTrapFlag, .pauseExiting,
    ]
  }
}

/// Secondary processor-based VM-execution controls. SDM vol. 3, table 25-7.
public struct SecondaryControls: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let extendedPageTables = Self(rawValue: 1 << 1)
  public static let descriptorTableExiting = Self(rawValue: 1 << 2)
  public static let rdtscp = Self(rawValue: 1 << 3)
  public static let virtualX2APIC = Self(rawValue: 1 << 4)
  public static let virtualProcessorIDs = Self(rawValue: 1 << 5)
  public static let wbinvdExiting = Self(rawValue: 1 << 6)
  public static let unrestrictedGuest = Self(rawValue: 1 << 7)
  public static let pauseLoopExiting = Self(rawValue: 1 << 10)
  public static let rdrandExiting = Self(rawValue: 1 << 11)
  public static let invpcid = Self(rawValue: 1 << 12)
  public static let rdseedExiting = Self(rawValue: 1 << 16)
  public static let xsaves = Self(rawValue: 1 << 20)

  public static var needed: Self {
    [.extendedPageTables, .virtualProcessorIDs, .wbinvdExiting, .unrestrictedGuest]
  }
  /// Instructions that are the guest's where the processor has them.
  public static var wanted: Self { [.rdtscp, .invpcid] }
  public static var unwanted: Self {
    [
      .descriptorTableExiting, .virtualX2APIC, .pauseLoopExiting, .rdrandExiting, .rdseedExiting,
      .xsaves,
    ]
  }
}

/// Primary VM-exit controls. SDM vol. 3, table 25-13.
public struct ExitControls: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let saveDebugControls = Self(rawValue: 1 << 2)
  public static let hostIsLong = Self(rawValue: 1 << 9)
  public static let savePAT = Self(rawValue: 1 << 18)
  public static let loadPAT = Self(rawValue: 1 << 19)
  public static let saveEFER = Self(rawValue: 1 << 20)
  public static let loadEFER = Self(rawValue: 1 << 21)
  public static let savePreemptionTimer = Self(rawValue: 1 << 22)

  public static var needed: Self {
    [.saveDebugControls, .hostIsLong, .savePAT, .loadPAT, .saveEFER, .loadEFER]
  }
}

/// VM-entry controls. SDM vol. 3, table 25-15.
public struct EntryControls: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let loadDebugControls = Self(rawValue: 1 << 2)
  public static let guestIsLong = Self(rawValue: 1 << 9)
  public static let loadPAT = Self(rawValue: 1 << 14)
  public static let loadEFER = Self(rawValue: 1 << 15)

  public static var needed: Self { [.loadDebugControls, .loadPAT, .loadEFER] }
  /// Follows the guest's EFER.LMA.
  public static var changing: Self { [.guestIsLong] }
}

/// Exceptions that exit, as on SVM: a guest that loops on delivering #DB or #AC never opens an
/// event window (CVE-2015-5307, CVE-2015-8104), and machine checks are the machine's own.
public enum InterceptedExceptions {
  public static var mask: UInt32 { 1 << 1 | 1 << 17 | 1 << 18 }
}
