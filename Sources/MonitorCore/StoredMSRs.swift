// SPDX-License-Identifier: Apache-2.0
import X86

/// MSRs that are memory only: what a stock kernel writes and wants to read back, and that
/// has no effect under nested paging (memory types come from the nested tables and PAT).
public struct StoredMSRs: Sendable {
  /// Variable ranges: base and mask of eight.
  var variable: InlineArray<16, UInt64> = InlineArray(repeating: 0)
  /// 64K, two 16K, eight 4K.
  var fixed: InlineArray<11, UInt64> = InlineArray(repeating: 0x0606_0606_0606_0606)
  /// MTRRs on, fixed ranges on, write-back by default.
  var defaultType: UInt64 = 0xc06
  var miscellaneousEnable: UInt64 = 1
  var hardwareConfiguration: UInt64 = 0
  var decodeConfiguration: UInt64 = 1 << 1
  var systemConfiguration: UInt64 = 0
  var northbridgeConfiguration: UInt64 = 0
  var loadStoreConfiguration: UInt64 = 0
  var microcodeRevision: UInt64 = 0
  var tscAdjust: UInt64 = 0
  var machineCheckStatus: UInt64 = 0
  var debugControl: UInt64 = 0

  public init() {}

  /// The word behind `msr`; nil for an MSR that is not kept here.
  public func read(_ msr: MSR) -> UInt64? {
    switch msr.rawValue {
    case MSR.mtrrPhysicalBase0.rawValue...MSR.mtrrPhysicalMask7.rawValue:
      variable[Int(msr.rawValue & 15)]
    case MSR.mtrrFixed64K.rawValue: fixed[0]
    case MSR.mtrrFixed16K80000.rawValue...MSR.mtrrFixed16KA0000.rawValue:
      fixed[1 + Int(msr.rawValue & 1)]
    case MSR.mtrrFixed4KC0000.rawValue...MSR.mtrrFixed4KF8000.rawValue:
      fixed[3 + Int(msr.rawValue & 7)]
    case MSR.mtrrDefaultType.rawValue: defaultType
    // Eight variable ranges, fixed ranges, write-combining. SDM vol. 3, 12.11.1.
    case MSR.mtrrCapability.rawValue: 0x508
    case MSR.miscellaneousEnable.rawValue: miscellaneousEnable
    case MSR.hardwareConfiguration.rawValue: hardwareConfiguration
    case MSR.decodeConfiguration.rawValue: decodeConfiguration
    case MSR.systemConfiguration.rawValue: systemConfiguration
    case MSR.northbridgeConfiguration.rawValue: northbridgeConfiguration
    case MSR.loadStoreConfiguration.rawValue: loadStoreConfiguration
    case MSR.microcodeRevision.rawValue: microcodeRevision
    case MSR.tscAdjust.rawValue: tscAdjust
    case MSR.machineCheckStatus.rawValue: machineCheckStatus
    case MSR.debugControl.rawValue: debugControl
    case MSR.machineCheckCapability.rawValue, MSR.platformID.rawValue,
      MSR.topMemory2.rawValue, MSR.pStateCurrentLimit.rawValue,
      MSR.osvwIDLength.rawValue, MSR.osvwStatus.rawValue,
      MSR.lastBranchFromIP.rawValue...MSR.lastExceptionToIP.rawValue:
      0
    default: nil
    }
  }

  /// False if `msr` is not kept here or is read-only.
  public mutating func write(_ msr: MSR, _ value: UInt64) -> Bool {
    switch msr.rawValue {
    case MSR.mtrrPhysicalBase0.rawValue...MSR.mtrrPhysicalMask7.rawValue:
      variable[Int(msr.rawValue & 15)] = value
    case MSR.mtrrFixed64K.rawValue: fixed[0] = value
    case MSR.mtrrFixed16K80000.rawValue...MSR.mtrrFixed16KA0000.rawValue:
      fixed[1 + Int(msr.rawValue & 1)] = value
    case MSR.mtrrFixed4KC0000.rawValue...MSR.mtrrFixed4KF8000.rawValue:
      fixed[3 + Int(msr.rawValue & 7)] = value
    case MSR.mtrrDefaultType.rawValue: defaultType = value
    case MSR.miscellaneousEnable.rawValue: miscellaneousEnable = value
    case MSR.hardwareConfiguration.rawValue: hardwareConfiguration = value
    case MSR.decodeConfiguration.rawValue: decodeConfiguration = value
    case MSR.systemConfiguration.rawValue: systemConfiguration = value
    case MSR.northbridgeConfiguration.rawValue: northbridgeConfiguration = value
    case MSR.loadStoreConfiguration.rawValue: loadStoreConfiguration = value
    case MSR.microcodeRevision.rawValue: microcodeRevision = value
    case MSR.tscAdjust.rawValue: tscAdjust = value
    case MSR.machineCheckStatus.rawValue: machineCheckStatus = value
    case MSR.debugControl.rawValue: debugControl = value
    case MSR.osvwIDLength.rawValue, MSR.osvwStatus.rawValue: break
    default: return false
    }
    return true
  }
}
