// SPDX-License-Identifier: Apache-2.0
// The three kinds of address, which are 64 bits wide and must not be taken for one another.

/// An address in bytes. Arithmetic is modulo 2 to the power of 64.
public protocol Address: Hashable, Comparable, ExpressibleByIntegerLiteral, Sendable {
  var rawValue: UInt64 { get }
  init(_ rawValue: UInt64)
}

extension Address {
  public init(integerLiteral value: UInt64) { self.init(value) }

  /// The first byte of its page of 4 KiB.
  @inline(__always) public var page: Self { Self(rawValue & ~0xfff) }
  /// Bytes from there.
  @inline(__always) public var offsetInPage: UInt64 { rawValue & 0xfff }

  @inline(__always) public static func + (address: Self, bytes: UInt64) -> Self {
    Self(address.rawValue &+ bytes)
  }
  @inline(__always) public static func < (one: Self, other: Self) -> Bool {
    one.rawValue < other.rawValue
  }
}

/// An address in a guest's memory, before the nested tables. "Guest-physical" in SDM vol. 3, 29.3;
/// APM vol. 2, 15.25.
public struct GuestPhysical: Address {
  public let rawValue: UInt64
  @inline(__always) public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// An address on the machine's own bus, behind the nested tables.
public struct HostPhysical: Address {
  public let rawValue: UInt64
  @inline(__always) public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// A guest's address behind segmentation and before paging. SDM vol. 3, 3.1.
public struct Linear: Address {
  public let rawValue: UInt64
  @inline(__always) public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}
