// SPDX-License-Identifier: Apache-2.0
// The I/O APIC's registers: an index and a window (82093AA, 3.1 and 3.2).

extension IOAPIC {
  private static let selectOffset: UInt64 = 0x00
  private static let windowOffset: UInt64 = 0x10

  /// Reads a 32-bit register at an offset from the I/O APIC's address.
  public mutating func read(offset: UInt64) -> UInt32 {
    switch offset & 0xff {
    case Self.selectOffset: return UInt32(select)
    case Self.windowOffset: return window
    default: return 0
    }
  }

  /// Whether a write to the register at an offset from the I/O APIC's address may change how interrupts
  /// reach the guest. The register select only says what is written next.
  public static func mayChangeRoutes(offset: UInt64) -> Bool {
    offset & 0xff != selectOffset
  }

  /// Writes a 32-bit register at an offset from the I/O APIC's address.
  ///
  /// - Returns: The pin whose redirection entry has changed, if one has.
  @discardableResult
  public mutating func write(offset: UInt64, _ value: UInt32) -> Int? {
    switch offset & 0xff {
    case Self.selectOffset: select = UInt8(truncatingIfNeeded: value)
    case Self.windowOffset: return writeWindow(value)
    default: break
    }
    return nil
  }

  /// The pin of the selected half of a redirection entry. Out of range if it is none.
  private var selectedPin: Int { Int(select >> 1) &- 8 }

  private var window: UInt32 {
    mutating get {
      switch select {
      case 0x00: return UInt32(identifier) << 24  // IOAPICID
      case 0x01: return UInt32(Self.pins - 1) << 16 | 0x11  // IOAPICVER
      case 0x02: return UInt32(identifier) << 24  // IOAPICARB, loaded with the ID
      default:
        let entry = value(pin: selectedPin)
        return UInt32(truncatingIfNeeded: select & 1 == 0 ? entry : entry >> 32)
      }
    }
  }

  private mutating func writeWindow(_ value: UInt32) -> Int? {
    if select == 0x00 { identifier = UInt8(truncatingIfNeeded: value >> 24) & 0xf }
    let pin = selectedPin
    guard pin >= 0, pin < Self.pins else { return nil }
    let old = entries[pin].bits
    let new =
      select & 1 == 0
      ? old & 0xffff_ffff_0000_0000 | UInt64(value)
      : old & 0x0000_0000_ffff_ffff | UInt64(value) << 32
    let entry = IOAPICEntry(new)
    // Also where nothing changes: an entry written as edge-triggered clears its remote IRR.
    setEntry(entry, pin: pin)
    return entry.bits == old ? nil : pin
  }
}
