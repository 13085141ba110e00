// SPDX-License-Identifier: Apache-2.0
// The I/O APIC: from interrupt lines to messages.

/// An 82093AA with 24 pins, version 0x11: without an EOI register, so the local APICs' EOI
/// broadcasts reach it through `endOfInterrupt(vector:)`.
///
/// A line is true while it is asserted; bit 13 of an entry (polarity) is stored and changes nothing.
/// An edge on a masked pin is lost, as the datasheet says (3.2.4, bit 16) and as KVM does. Linux
/// knows: it masks an edge-triggered pin only after an interrupt came that it had disabled, and
/// sends that one again by itself.
public struct IOAPIC {
  public static let pins = 24
  /// Where a PC has it: the guest-physical address of the first of its registers.
  public static let address: UInt64 = 0xfec0_0000

  var entries = InlineArray<24, IOAPICEntry>(repeating: IOAPICEntry(IOAPICEntry.mask))
  var select: UInt8 = 0
  /// Bits 27 to 24 of the identification register.
  var identifier: UInt8 = 0
  // Bit n of the following masks stands for pin n.
  private(set) var maskedPins: UInt32 = 0xff_ffff
  private(set) var levelPins: UInt32 = 0
  /// Asserted lines.
  var lines: UInt32 = 0
  /// Edges that were not delivered yet.
  var edges: UInt32 = 0
  /// Level-triggered messages that were delivered and not yet answered by an EOI.
  var remoteIRR: UInt32 = 0

  /// As after a reset: every pin masked.
  public init() {}

  /// Sets the level of a pin, 0 to 23; others are ignored.
  public mutating func setLine(_ line: Int, _ level: Bool) {
    guard line >= 0, line < Self.pins else { return }
    let bit: UInt32 = 1 << UInt32(truncatingIfNeeded: line)
    if level && lines & bit == 0 { edges |= bit & ~levelPins & ~maskedPins }
    lines = level ? lines | bit : lines & ~bit
  }

  /// The level of a pin whose edges are told otherwise.
  public mutating func holdLine(_ line: Int, at level: Bool) {
    let edges = edges
    setLine(line, level)
    self.edges = edges
  }

  /// `nextDelivery` has something to take.
  public var hasDelivery: Bool { @inline(__always) mutating get { ready != 0 } }

  /// The pins that have something to deliver.
  private var ready: UInt32 {
    @inline(__always)
    mutating get { ((edges & ~levelPins) | (lines & levelPins & ~remoteIRR)) & ~maskedPins }
  }

  /// Takes the message to be sent next. To be repeated until it is nil after whatever may have
  /// changed something: `setLine`, `write`, `endOfInterrupt`.
  public mutating func nextDelivery() -> IOAPICDelivery? {
    while true {
      let pin = ready.trailingZeroBitCount
      guard pin < Self.pins else { return nil }
      let bit: UInt32 = 1 << UInt32(truncatingIfNeeded: pin)
      edges &= ~bit
      remoteIRR |= bit & levelPins
      // A reserved delivery mode: the edge is gone, nothing is sent.
      if let delivery = entries[pin].delivery(pin: pin) { return delivery }
    }
  }

  /// A local APIC's EOI for a vector whose trigger mode was level. Lines that are still asserted
  /// then have something to deliver again.
  public mutating func endOfInterrupt(vector: UInt8) {
    for pin in 0..<Self.pins where entries[pin].vector == vector {
      remoteIRR &= ~(1 << UInt32(truncatingIfNeeded: pin))
    }
  }

  /// The pins whose level-triggered message an EOI for `vector` answers.
  mutating func pinsInService(vector: UInt8) -> UInt32 {
    var pins: UInt32 = 0
    for pin in 0..<Self.pins where entries[pin].vector == vector {
      pins |= remoteIRR & 1 << UInt32(truncatingIfNeeded: pin)
    }
    return pins
  }

  /// A level-triggered message waits for its EOI.
  public var isLevelInService: Bool { @inline(__always) get { remoteIRR != 0 } }

  /// How a pin's interrupts reach the guest; `masked` for a pin that does not exist.
  public mutating func route(pin: Int) -> IOAPICRoute {
    guard pin >= 0, pin < Self.pins, !entries[pin].isMasked else { return .masked }
    guard let delivery = entries[pin].delivery(pin: pin), delivery.trigger == .edge,
      delivery.mode == .fixed || delivery.mode == .lowestPriority, delivery.vector >= 16
    else { return .monitor }
    return .direct(delivery)
  }

  /// Replaces an entry; the two read-only bits are kept.
  @inline(__always)
  mutating func setEntry(_ entry: IOAPICEntry, pin: Int) {
    guard pin >= 0, pin < Self.pins else { return }
    let bit: UInt32 = 1 << UInt32(truncatingIfNeeded: pin)
    entries[pin] = entry
    maskedPins = entry.isMasked ? maskedPins | bit : maskedPins & ~bit
    if entry.isLevelTriggered {
      levelPins |= bit
      edges &= ~bit
    } else {
      // How Linux and Xen answer an interrupt of a version without an EOI register: they make the
      // pin edge-triggered for a moment.
      levelPins &= ~bit
      remoteIRR &= ~bit
    }
  }

  /// A redirection entry as software reads it (82093AA, 3.2.4).
  mutating func value(pin: Int) -> UInt64 {
    guard pin >= 0, pin < Self.pins else { return .max }
    let bit: UInt32 = 1 << UInt32(truncatingIfNeeded: pin)
    return entries[pin].bits | (ready & bit != 0 ? IOAPICEntry.deliveryStatus : 0)
      | (remoteIRR & bit != 0 ? IOAPICEntry.remoteIRR : 0)
  }
}
