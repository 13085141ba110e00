// SPDX-License-Identifier: Apache-2.0
// One entry of the I/O APIC's redirection table, and what it makes of an interrupt.

/// Bits 10 to 8 of a redirection entry; 3 and 6 are reserved.
public enum IOAPICDeliveryMode: UInt8, Sendable {
  case fixed = 0
  case lowestPriority = 1
  case systemManagement = 2
  case nonMaskable = 4
  case initialise = 5
  case externalInterrupt = 7
}

/// Bit 15 of a redirection entry.
public enum IOAPICTrigger: UInt8, Sendable {
  case edge = 0
  case level = 1
}

/// Bit 11 of a redirection entry.
public enum IOAPICDestination: UInt8, Sendable {
  case physical = 0
  case logical = 1
}

/// The message that the I/O APIC sends for a pin.
public struct IOAPICDelivery: Equatable, Sendable {
  public var pin: Int
  public var vector: UInt8
  /// An APIC ID, or a mask in the local APICs' logical format.
  public var destination: UInt8
  public var destinationMode: IOAPICDestination
  public var mode: IOAPICDeliveryMode
  public var trigger: IOAPICTrigger
}

/// How a pin's interrupts can reach the guest at the moment.
public enum IOAPICRoute: Equatable, Sendable {
  /// Edges are lost, levels wait until the pin is unmasked.
  case masked
  /// Edge-triggered, fixed or lowest priority, a legal vector: whoever sees a rising edge may send
  /// the message without asking.
  case direct(IOAPICDelivery)
  /// Level-triggered, or of a mode that is not a vector: goes through `IOAPIC.nextDelivery()`.
  case monitor
}

/// A redirection entry (82093AA, 3.2.4) without its two read-only bits.
struct IOAPICEntry {
  static let deliveryStatus: UInt64 = 1 << 12
  static let remoteIRR: UInt64 = 1 << 14
  static let mask: UInt64 = 1 << 16
  /// Bits 55 to 17 are reserved and read as 0.
  static let writable: UInt64 = 0xff00_0000_0001_afff

  private(set) var bits: UInt64

  init(_ bits: UInt64) { self.bits = bits & Self.writable }

  var vector: UInt8 { UInt8(truncatingIfNeeded: bits) }

  var destination: UInt8 { UInt8(truncatingIfNeeded: bits >> 56) }

  var isMasked: Bool { bits & Self.mask != 0 }

  /// Nil: one of the two reserved modes, which deliver nothing.
  var mode: IOAPICDeliveryMode? {
    IOAPICDeliveryMode(rawValue: UInt8(truncatingIfNeeded: bits >> 8) & 7)
  }

  /// Only messages with a vector are ever answered by an EOI; the other modes are edges whatever
  /// bit 15 says.
  var isLevelTriggered: Bool {
    // Bit 15, and of the delivery mode none but its lowest bit: fixed, or lowest priority.
    @inline(__always) get { bits & 0x8600 == 0x8000 }
  }

  func delivery(pin: Int) -> IOAPICDelivery? {
    guard let mode else { return nil }
    return IOAPICDelivery(
      pin: pin, vector: vector, destination: destination,
      destinationMode: bits & 1 << 11 != 0 ? .logical : .physical, mode: mode,
      trigger: isLevelTriggered ? .level : .edge)
  }
}
