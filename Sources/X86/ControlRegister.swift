// SPDX-License-Identifier: Apache-2.0

/// CR0: the processor's operating mode. SDM vol. 3, 2.5.
public struct CR0: OptionSet, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static let protectionEnable = CR0(rawValue: 1 << 0)
  public static let extensionType = CR0(rawValue: 1 << 4)
  public static let numericError = CR0(rawValue: 1 << 5)
  public static let writeProtect = CR0(rawValue: 1 << 16)
  public static let notWriteThrough = CR0(rawValue: 1 << 29)
  public static let cacheDisable = CR0(rawValue: 1 << 30)
  public static let paging = CR0(rawValue: 1 << 31)

  /// The value after INIT. SDM vol. 3, table 10-1.
  public static var reset: CR0 { [.extensionType, .notWriteThrough, .cacheDisable] }
}

/// CR4: extensions of the architecture. SDM vol. 3, 2.5.
public struct CR4: OptionSet, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static let debuggingExtensions = CR4(rawValue: 1 << 3)
  public static let pageSizeExtension = CR4(rawValue: 1 << 4)
  public static let physicalAddressExtension = CR4(rawValue: 1 << 5)
  public static let machineCheck = CR4(rawValue: 1 << 6)
  public static let osFXSR = CR4(rawValue: 1 << 9)
  public static let osXMMExceptions = CR4(rawValue: 1 << 10)
  public static let la57 = CR4(rawValue: 1 << 12)
  public static let vmxEnable = CR4(rawValue: 1 << 13)
  public static let osXSAVE = CR4(rawValue: 1 << 18)
}

/// IA32_EFER. SDM vol. 3, 2.2.1; APM vol. 2, 3.1.7.
public struct EFER: OptionSet, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static let systemCall = EFER(rawValue: 1 << 0)
  public static let longModeEnable = EFER(rawValue: 1 << 8)
  public static let longModeActive = EFER(rawValue: 1 << 10)
  public static let noExecute = EFER(rawValue: 1 << 11)
  public static let svmEnable = EFER(rawValue: 1 << 12)
  public static let fastFXSR = EFER(rawValue: 1 << 14)

  /// What a guest may set on a processor with these `features`, EDX of CPUID 0x8000_0001: VM
  /// entries refuse what the processor does not know. APM vol. 3, appendix E.4.2: FFXSR.
  public static func offered(_ features: UInt32) -> EFER {
    let always: EFER = [.systemCall, .longModeEnable, .longModeActive, .noExecute]
    return features & 1 << 25 == 0 ? always : always.union(.fastFXSR)
  }
}

/// RFLAGS. SDM vol. 1, 3.4.3.
public struct RFLAGS: OptionSet, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static let carry = RFLAGS(rawValue: 1 << 0)
  public static let alwaysOne = RFLAGS(rawValue: 1 << 1)
  public static let parity = RFLAGS(rawValue: 1 << 2)
  public static let auxiliaryCarry = RFLAGS(rawValue: 1 << 4)
  public static let zero = RFLAGS(rawValue: 1 << 6)
  public static let sign = RFLAGS(rawValue: 1 << 7)
  public static let trap = RFLAGS(rawValue: 1 << 8)
  public static let interruptEnable = RFLAGS(rawValue: 1 << 9)
  public static let direction = RFLAGS(rawValue: 1 << 10)
  public static let overflow = RFLAGS(rawValue: 1 << 11)
  public static let resume = RFLAGS(rawValue: 1 << 16)
  public static let virtual8086 = RFLAGS(rawValue: 1 << 17)
  public static let alignmentCheck = RFLAGS(rawValue: 1 << 18)

  /// What arithmetic changes.
  public static var status: RFLAGS {
    [.carry, .parity, .auxiliaryCarry, .zero, .sign, .overflow]
  }
}

/// The size of code: what CS.L and CS.D say. SDM vol. 3, 5.2.1.
public enum CodeSize: Sendable {
  case bits16
  case bits32
  case bits64
}
