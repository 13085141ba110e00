// SPDX-License-Identifier: Apache-2.0

/// The number of a model-specific register. SDM vol. 4; APM vol. 2, appendix A.
public struct MSR: RawRepresentable, Equatable, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  @inline(__always) init(_ rawValue: UInt32) { self.rawValue = rawValue }

  public static var timeStampCounter: MSR { MSR(0x10) }
  public static var platformID: MSR { MSR(0x17) }
  public static var apicBase: MSR { MSR(0x1b) }
  public static var powerOnConfiguration: MSR { MSR(0x2a) }
  public static var testControl: MSR { MSR(0x33) }
  public static var featureControl: MSR { MSR(0x3a) }
  public static var tscAdjust: MSR { MSR(0x3b) }
  public static var speculationControl: MSR { MSR(0x48) }
  public static var predictionCommand: MSR { MSR(0x49) }
  public static var microcodeRevision: MSR { MSR(0x8b) }
  public static var performanceCounter0: MSR { MSR(0xc1) }
  public static var busFrequency: MSR { MSR(0xcd) }
  public static var platformInformation: MSR { MSR(0xce) }
  public static var mtrrCapability: MSR { MSR(0xfe) }
  public static var architecturalCapabilities: MSR { MSR(0x10a) }
  public static var miscellaneousFeatures: MSR { MSR(0x140) }
  public static var systemEnterCS: MSR { MSR(0x174) }
  public static var systemEnterESP: MSR { MSR(0x175) }
  public static var systemEnterEIP: MSR { MSR(0x176) }
  public static var machineCheckCapability: MSR { MSR(0x179) }
  public static var machineCheckStatus: MSR { MSR(0x17a) }
  public static var machineCheckControl: MSR { MSR(0x17b) }
  public static var performanceSelect0: MSR { MSR(0x186) }
  public static var performanceStatus: MSR { MSR(0x198) }
  public static var performanceControl: MSR { MSR(0x199) }
  public static var miscellaneousEnable: MSR { MSR(0x1a0) }
  public static var debugControl: MSR { MSR(0x1d9) }
  public static var lastBranchFromIP: MSR { MSR(0x1db) }
  public static var lastExceptionToIP: MSR { MSR(0x1de) }
  public static var mtrrPhysicalBase0: MSR { MSR(0x200) }
  public static var mtrrPhysicalMask7: MSR { MSR(0x20f) }
  public static var mtrrFixed64K: MSR { MSR(0x250) }
  public static var mtrrFixed16K80000: MSR { MSR(0x258) }
  public static var mtrrFixed16KA0000: MSR { MSR(0x259) }
  public static var mtrrFixed4KC0000: MSR { MSR(0x268) }
  public static var mtrrFixed4KF8000: MSR { MSR(0x26f) }
  public static var pageAttributeTable: MSR { MSR(0x277) }
  public static var mtrrDefaultType: MSR { MSR(0x2ff) }
  public static var machineCheckBank0: MSR { MSR(0x400) }
  public static var tscDeadline: MSR { MSR(0x6e0) }
  public static var xss: MSR { MSR(0xda0) }

  public static var efer: MSR { MSR(0xc000_0080) }
  public static var star: MSR { MSR(0xc000_0081) }
  public static var lstar: MSR { MSR(0xc000_0082) }
  public static var cstar: MSR { MSR(0xc000_0083) }
  public static var systemCallMask: MSR { MSR(0xc000_0084) }
  public static var fsBase: MSR { MSR(0xc000_0100) }
  public static var gsBase: MSR { MSR(0xc000_0101) }
  public static var kernelGSBase: MSR { MSR(0xc000_0102) }
  public static var tscAuxiliary: MSR { MSR(0xc000_0103) }

  public static var performanceSelectK7: MSR { MSR(0xc001_0000) }
  public static var systemConfiguration: MSR { MSR(0xc001_0010) }
  public static var hardwareConfiguration: MSR { MSR(0xc001_0015) }
  public static var topMemory2: MSR { MSR(0xc001_001d) }
  public static var northbridgeConfiguration: MSR { MSR(0xc001_001f) }
  public static var interruptPending: MSR { MSR(0xc001_0055) }
  public static var mmioConfigurationBase: MSR { MSR(0xc001_0058) }
  public static var pStateCurrentLimit: MSR { MSR(0xc001_0061) }
  public static var smmAddress: MSR { MSR(0xc001_0112) }
  public static var smmMask: MSR { MSR(0xc001_0113) }
  public static var vmControl: MSR { MSR(0xc001_0114) }
  public static var vmHostSavePhysicalAddress: MSR { MSR(0xc001_0117) }
  public static var osvwIDLength: MSR { MSR(0xc001_0140) }
  public static var osvwStatus: MSR { MSR(0xc001_0141) }
  public static var loadStoreConfiguration: MSR { MSR(0xc001_1020) }
  public static var decodeConfiguration: MSR { MSR(0xc001_1029) }

  /// linux/kvm_para.h.
  public static var kvmWallClockOld: MSR { MSR(0x11) }
  public static var kvmSystemTimeOld: MSR { MSR(0x12) }
  public static var kvmWallClock: MSR { MSR(0x4b56_4d00) }
  public static var kvmSystemTime: MSR { MSR(0x4b56_4d01) }
}
