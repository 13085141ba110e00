// SPDX-License-Identifier: Apache-2.0

/// A register of the local APIC, by its x2APIC number: MSR 0x800 + raw value, or offset
/// raw value << 4 of the xAPIC page. SDM vol. 3, table 11-6.
public struct APICRegister: RawRepresentable, Equatable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  @inline(__always) init(_ rawValue: UInt8) { self.rawValue = rawValue }

  public static var id: Self { Self(0x02) }
  public static var version: Self { Self(0x03) }
  public static var taskPriority: Self { Self(0x08) }
  public static var processorPriority: Self { Self(0x0a) }
  public static var endOfInterrupt: Self { Self(0x0b) }
  public static var logicalDestination: Self { Self(0x0d) }
  public static var destinationFormat: Self { Self(0x0e) }
  public static var spuriousVector: Self { Self(0x0f) }
  public static var inService0: Self { Self(0x10) }
  public static var triggerMode0: Self { Self(0x18) }
  public static var request0: Self { Self(0x20) }
  public static var errorStatus: Self { Self(0x28) }
  public static var lvtMachineCheck: Self { Self(0x2f) }
  public static var interruptCommand: Self { Self(0x30) }
  public static var interruptCommandHigh: Self { Self(0x31) }
  public static var lvtTimer: Self { Self(0x32) }
  public static var lvtThermal: Self { Self(0x33) }
  public static var lvtPerformance: Self { Self(0x34) }
  public static var lvtLINT0: Self { Self(0x35) }
  public static var lvtLINT1: Self { Self(0x36) }
  public static var lvtError: Self { Self(0x37) }
  public static var timerInitialCount: Self { Self(0x38) }
  public static var timerCurrentCount: Self { Self(0x39) }
  public static var timerDivide: Self { Self(0x3e) }
  public static var selfInterrupt: Self { Self(0x3f) }

  /// The register's MSR in x2APIC mode.
  public var msr: MSR { MSR(rawValue: 0x800 + UInt32(rawValue)) }

  /// One of the eight words of the trigger mode register.
  public var isTriggerMode: Bool { rawValue & ~7 == Self.triggerMode0.rawValue }

  /// LVT: the interrupt is masked.
  public static var lvtMasked: UInt32 { 1 << 16 }
  /// The spurious vector register: the APIC is switched on by software.
  public static var softwareEnable: UInt32 { 1 << 8 }
}

/// IA32_APIC_BASE. SDM vol. 3, 11.4.4.
public struct APICBase: RawRepresentable, Equatable, Sendable {
  public var rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static var bootstrapProcessor: UInt64 { 1 << 8 }
  public static var x2APICEnable: UInt64 { 1 << 10 }
  public static var globalEnable: UInt64 { 1 << 11 }
  public static var defaultAddress: UInt64 { 0xfee0_0000 }

  /// Of the page of registers in xAPIC mode; bits that the processor lacks are zero.
  public var address: UInt64 { rawValue & 0x000f_ffff_ffff_f000 }

  public var isEnabled: Bool { rawValue & Self.globalEnable != 0 }
  public var isX2APIC: Bool {
    rawValue & (Self.globalEnable | Self.x2APICEnable) == Self.globalEnable | Self.x2APICEnable
  }
}

/// How an interrupt is delivered: bits 8 to 10 of the ICR, of an LVT entry and of an
/// I/O APIC's redirection entry. SDM vol. 3, 11.6.1.
public enum DeliveryMode: UInt8, Sendable {
  case fixed = 0
  case lowestPriority = 1
  case systemManagement = 2
  case remoteRead = 3
  case nonMaskable = 4
  case initialize = 5
  case startUp = 6
  case external = 7
}

/// The interrupt command register in x2APIC form. SDM vol. 3, 11.12.9.
public struct InterruptCommand: RawRepresentable, Equatable, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public init(vector: UInt8, destination: UInt32, mode: DeliveryMode = .fixed) {
    rawValue = UInt64(destination) << 32 | UInt64(mode.rawValue) << 8 | UInt64(vector)
  }

  public enum Shorthand: UInt8, Sendable {
    case none = 0
    case myself = 1
    case everyone = 2
    case others = 3
  }

  /// Fixed delivery to a physical destination, without a shorthand.
  public var isFixedPhysical: Bool { rawValue & 0xc_0f00 == 0 }
  public var vector: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
  public var mode: DeliveryMode {
    DeliveryMode(rawValue: UInt8(truncatingIfNeeded: rawValue >> 8 & 7)) ?? .fixed
  }
  public var isLogical: Bool { rawValue & 1 << 11 != 0 }
  public var isAssert: Bool { rawValue & 1 << 14 != 0 }
  public var isLevelTriggered: Bool { rawValue & 1 << 15 != 0 }
  public var shorthand: Shorthand {
    Shorthand(rawValue: UInt8(truncatingIfNeeded: rawValue >> 18 & 3)) ?? .none
  }
  public var destination: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
}
