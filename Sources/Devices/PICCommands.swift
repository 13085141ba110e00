// SPDX-License-Identifier: Apache-2.0
// What software writes to and reads from the two ports of one 8259A.

extension PICChip {
  /// A read of the even (A0 = 0) or odd (A0 = 1) port.
  mutating func read(odd: Bool) -> UInt8 {
    if polls {
      // "Poll Command": the next read is an interrupt acknowledge.
      polls = false
      return pending == nil ? 0 : 0x80 | acknowledge()
    }
    if odd { return masked }
    return readsInService ? inService : requests
  }

  /// A write to the even port: ICW1, OCW2 or OCW3.
  mutating func writeCommand(_ value: UInt8) {
    if value & 0x10 != 0 {
      beginInitialisation(value)
    } else if value & 0x08 != 0 {
      if value & 0x04 != 0 { polls = true }
      if value & 0x02 != 0 { readsInService = value & 0x01 != 0 }
      if value & 0x40 != 0 { usesSpecialMask = value & 0x20 != 0 }
    } else {
      endOfInterrupt(value)
    }
  }

  /// A write to the odd port: OCW1, or ICW2 to ICW4 after an ICW1.
  mutating func writeData(_ value: UInt8) {
    switch initialisation {
    case .complete:
      masked = value
    case .expectsICW2:
      vectorBase = value & 0xf8
      initialisation = .expectsICW3
    case .expectsICW3:
      // The wiring between the two is fixed.
      initialisation = expectsICW4 ? .expectsICW4 : .complete
    case .expectsICW4:
      specialFullyNested = value & 0x10 != 0
      automaticEOI = value & 0x02 != 0
      initialisation = .complete
    }
  }

  /// ICW1. LTIM is ignored: ELCR took its place. SNGL is ignored: a PC has always two.
  private mutating func beginInitialisation(_ value: UInt8) {
    expectsICW4 = value & 0x01 != 0
    requests &= levelTriggered
    masked = 0
    inService = 0
    highest = 0
    polls = false
    usesSpecialMask = false
    readsInService = false
    rotatesOnAutomaticEOI = false
    if !expectsICW4 {
      specialFullyNested = false
      automaticEOI = false
    }
    initialisation = .expectsICW2
  }

  /// OCW2: R, SL and EOI in bits 7 to 5, an input in bits 2 to 0.
  private mutating func endOfInterrupt(_ value: UInt8) {
    let line = value & 7
    switch value >> 5 {
    case 0b000: rotatesOnAutomaticEOI = false
    case 0b100: rotatesOnAutomaticEOI = true
    case 0b001: _ = endHighest()
    case 0b101: if let ended = endHighest() { highest = (ended &+ 1) & 7 }
    case 0b011: inService &= ~(1 << line)
    case 0b111:
      inService &= ~(1 << line)
      highest = (line &+ 1) & 7
    case 0b110: highest = (line &+ 1) & 7
    default: break  // 0b010: no operation
    }
  }

  /// The non-specific EOI. It leaves masked levels alone in special mask mode.
  private mutating func endHighest() -> UInt8? {
    guard let line = first(of: usesSpecialMask ? inService & ~masked : inService) else {
      return nil
    }
    inService &= ~(1 << line)
    return line
  }
}
