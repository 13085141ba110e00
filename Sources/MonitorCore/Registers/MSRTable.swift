// SPDX-License-Identifier: Apache-2.0
import X86

/// A row of the table of MSRs: where a guest's MSR lives, and what may be written to it.
struct MSRRow {
  enum Home: UInt8 {
    /// The control block, or a register of the lent CPU that is the guest's: the unit knows.
    case unit
    /// A word of `StoredMSRs`, whose number is `word`.
    case stored
    /// Nowhere: it reads as 0.
    case zero
    /// Nowhere: it reads as `MSRTable.constant`.
    case constant
    // Registers with a meaning of their own: see MSRPolicy.swift.
    case efer
    case apicBase
    case timeStampCounter
    case tscAdjust
    case tscAuxiliary
    case tscDeadline
    case machineCheck
    case platformInformation
    case systemTime
    case wallClock
  }
  enum Writes: UInt8 {
    case any
    /// They succeed and change nothing.
    case ignored
    /// 0 only.
    case zero
    /// #GP.
    case none
  }

  var home: Home
  var word: UInt8 = 0
  var writes = Writes.any

  static func stored(_ word: StoredMSRs.Word, offset: UInt32 = 0) -> MSRRow {
    MSRRow(home: .stored, word: word.rawValue &+ UInt8(truncatingIfNeeded: offset))
  }
  static func zero(_ writes: Writes) -> MSRRow { MSRRow(home: .zero, writes: writes) }
  static var constant: MSRRow { MSRRow(home: .constant, writes: .none) }
}

/// Every MSR that a guest has, but the local APIC's. An MSR without a row raises #GP.
///
/// Some have no CPUID bit and are there on every processor of a vendor, or on every processor that KVM
/// shows: operating systems read or write them without asking. They answer as KVM's do.
enum MSRTable {
  /// A switch, which the compiler makes a search tree of.
  @inline(__always)
  static func row(of msr: MSR) -> MSRRow? {
    let number = msr.rawValue
    switch number {
    case MSR.timeStampCounter.rawValue: return MSRRow(home: .timeStampCounter)
    case MSR.kvmWallClockOld.rawValue: return MSRRow(home: .wallClock)
    case MSR.kvmSystemTimeOld.rawValue: return MSRRow(home: .systemTime)
    case MSR.platformID.rawValue: return .zero(.none)
    case MSR.apicBase.rawValue: return MSRRow(home: .apicBase)
    case MSR.powerOnConfiguration.rawValue: return .zero(.zero)
    // Without VMX in it: locked by firmware that means it.
    case MSR.featureControl.rawValue: return .stored(.featureControl)
    case MSR.tscAdjust.rawValue: return MSRRow(home: .tscAdjust)
    // Its bits are not offered.
    case MSR.speculationControl.rawValue: return .zero(.zero)
    case MSR.predictionCommand.rawValue: return .zero(.ignored)
    case MSR.microcodeRevision.rawValue: return .stored(.microcodeRevision)
    // No performance counter is offered: P6's first two.
    case MSR.performanceCounter0.rawValue...MSR.performanceCounter0.rawValue + 1,
      MSR.performanceSelect0.rawValue...MSR.performanceSelect0.rawValue + 1:
      return .zero(.ignored)
    case MSR.busFrequency.rawValue, MSR.mtrrCapability.rawValue, MSR.performanceStatus.rawValue:
      return .constant
    case MSR.platformInformation.rawValue:
      return MSRRow(home: .platformInformation, writes: .none)
    case MSR.architecturalCapabilities.rawValue: return .zero(.none)
    case MSR.miscellaneousFeatures.rawValue: return .zero(.zero)
    case MSR.systemEnterCS.rawValue...MSR.systemEnterEIP.rawValue: return MSRRow(home: .unit)
    case MSR.machineCheckCapability.rawValue...MSR.machineCheckControl.rawValue:
      return MSRRow(home: .machineCheck)
    case MSR.performanceControl.rawValue: return .zero(.ignored)
    case MSR.miscellaneousEnable.rawValue: return .stored(.miscellaneousEnable)
    case MSR.debugControl.rawValue: return .stored(.debugControl)
    case MSR.lastBranchFromIP.rawValue...MSR.lastExceptionToIP.rawValue: return .zero(.none)
    case MSR.mtrrPhysicalBase0.rawValue...MSR.mtrrPhysicalMask7.rawValue:
      return .stored(.mtrrVariable, offset: number & 15)
    case MSR.mtrrFixed64K.rawValue: return .stored(.mtrrFixed)
    case MSR.mtrrFixed16K80000.rawValue...MSR.mtrrFixed16KA0000.rawValue:
      return .stored(.mtrrFixed, offset: 1 + number & 1)
    case MSR.mtrrFixed4KC0000.rawValue...MSR.mtrrFixed4KF8000.rawValue:
      return .stored(.mtrrFixed, offset: 3 + number & 7)
    case MSR.pageAttributeTable.rawValue: return MSRRow(home: .unit)
    case MSR.mtrrDefaultType.rawValue: return .stored(.mtrrDefaultType)
    // Control, status, address and more of 32 banks.
    case MSR.machineCheckBank0.rawValue...MSR.machineCheckBank0.rawValue + 0x7f:
      return MSRRow(home: .machineCheck)
    case MSR.tscDeadline.rawValue: return MSRRow(home: .tscDeadline)
    case MSR.kvmWallClock.rawValue: return MSRRow(home: .wallClock)
    case MSR.kvmSystemTime.rawValue: return MSRRow(home: .systemTime)
    case MSR.efer.rawValue: return MSRRow(home: .efer)
    case MSR.star.rawValue...MSR.systemCallMask.rawValue,
      MSR.fsBase.rawValue...MSR.kernelGSBase.rawValue:
      return MSRRow(home: .unit)
    case MSR.tscAuxiliary.rawValue: return MSRRow(home: .tscAuxiliary)
    // K7's four counters and their selectors.
    case MSR.performanceSelectK7.rawValue...MSR.performanceSelectK7.rawValue + 7:
      return .zero(.ignored)
    case MSR.systemConfiguration.rawValue: return .stored(.systemConfiguration)
    case MSR.hardwareConfiguration.rawValue: return .stored(.hardwareConfiguration)
    case MSR.topMemory2.rawValue, MSR.pStateCurrentLimit.rawValue: return .zero(.none)
    case MSR.northbridgeConfiguration.rawValue: return .stored(.northbridgeConfiguration)
    case MSR.interruptPending.rawValue, MSR.mmioConfigurationBase.rawValue,
      MSR.smmAddress.rawValue, MSR.smmMask.rawValue, MSR.vmControl.rawValue,
      MSR.vmHostSavePhysicalAddress.rawValue:
      return .zero(.zero)
    case MSR.osvwIDLength.rawValue, MSR.osvwStatus.rawValue: return .zero(.ignored)
    case MSR.loadStoreConfiguration.rawValue: return .stored(.loadStoreConfiguration)
    case MSR.decodeConfiguration.rawValue: return .stored(.decodeConfiguration)
    default: return nil
    }
  }

  /// What MSRs of `Home.constant` read as.
  static func constant(_ msr: MSR) -> UInt64 {
    switch msr.rawValue {
    // Eight variable ranges, fixed ranges, write-combining. SDM vol. 3, 12.11.1.
    case MSR.mtrrCapability.rawValue: 0x508
    // 200 MHz, as KVM says. SDM vol. 4, MSR_FSB_FREQ.
    case MSR.busFrequency.rawValue: 3
    // KVM's: a ratio of 4 and something to divide by.
    default: 4 << 40 | 1000
    }
  }
}
