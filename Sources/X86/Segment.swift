// SPDX-License-Identifier: Apache-2.0

/// A segment register with its hidden part, as a processor keeps it.
public struct Segment: Equatable, Sendable {
  public var selector: UInt16
  public var attributes: SegmentAttributes
  public var limit: UInt32
  public var base: UInt64

  public init(
    selector: UInt16 = 0, attributes: SegmentAttributes, limit: UInt32 = 0xffff, base: UInt64 = 0
  ) {
    self.selector = selector
    self.attributes = attributes
    self.limit = limit
    self.base = base
  }
}

/// Access rights in the layout of VT-x (SDM vol. 3, 25.4.1): bits 0 to 7 and 12 to 15 as
/// in a descriptor's second word, bit 16: unusable.
public struct SegmentAttributes: RawRepresentable, Equatable, Sendable {
  public var rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public var type: UInt8 { UInt8(truncatingIfNeeded: rawValue & 0xf) }
  public var isCodeOrData: Bool { rawValue & 1 << 4 != 0 }
  public var privilegeLevel: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 5 & 3) }
  public var isPresent: Bool { rawValue & 1 << 7 != 0 }
  public var isAvailable: Bool { rawValue & 1 << 12 != 0 }
  public var isLong: Bool { rawValue & 1 << 13 != 0 }
  public var isDefaultBig: Bool { rawValue & 1 << 14 != 0 }
  public var isPageGranular: Bool { rawValue & 1 << 15 != 0 }
  public var isUnusable: Bool { rawValue & 1 << 16 != 0 }

  public init(
    type: UInt8, codeOrData: Bool, privilegeLevel: UInt8, present: Bool, available: Bool,
    long: Bool, big: Bool, granular: Bool, unusable: Bool
  ) {
    var raw = UInt32(type & 0xf) | UInt32(privilegeLevel & 3) << 5
    if codeOrData { raw |= 1 << 4 }
    if present { raw |= 1 << 7 }
    if available { raw |= 1 << 12 }
    if long { raw |= 1 << 13 }
    if big { raw |= 1 << 14 }
    if granular { raw |= 1 << 15 }
    if unusable { raw |= 1 << 16 }
    rawValue = raw
  }

  public static var realModeCode: Self { Self(rawValue: 0x9b) }
  public static var realModeData: Self { Self(rawValue: 0x93) }
  public static var localDescriptorTable: Self { Self(rawValue: 0x82) }
  public static var busyTaskState: Self { Self(rawValue: 0x8b) }
}

/// The eight segment registers, numbered as instructions encode the first six.
public enum SegmentName: Int, Sendable {
  case es = 0
  case cs, ss, ds, fs, gs
  case ldtr, tr
}

/// GDTR or IDTR.
public struct DescriptorTable: Equatable, Sendable {
  public var limit: UInt16
  public var base: UInt64
  public init(limit: UInt16, base: UInt64) {
    self.limit = limit
    self.base = base
  }
}
