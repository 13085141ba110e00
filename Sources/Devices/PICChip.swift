// SPDX-License-Identifier: Apache-2.0
// One 8259A interrupt controller, without its wiring to the other one (see PIC.swift).

/// An 8259A (Intel order number 231468). Bit n of every mask stands for input IRn.
struct PICChip {
  /// Which of the initialisation command words the next write to the odd port is.
  enum Initialisation: UInt8 {
    case complete = 0
    case expectsICW2 = 1
    case expectsICW3 = 2
    case expectsICW4 = 3
  }

  /// IRR. In edge mode a bit stays until it is acknowledged; in level mode it follows the input.
  var requests: UInt8 = 0
  /// The inputs as they are now, for edge detection.
  var lines: UInt8 = 0
  /// IMR, written by OCW1.
  var masked: UInt8 = 0
  /// ISR.
  var inService: UInt8 = 0
  /// ELCR: inputs that are level-triggered. Outside the 8259A, in the PIIX chip.
  var levelTriggered: UInt8 = 0
  /// The bits of ELCR that can be set.
  var configurableLines: UInt8
  /// The input of the highest priority, 0 to 7.
  var highest: UInt8 = 0
  /// T7 to T3 of ICW2; the low three bits are 0.
  var vectorBase: UInt8 = 0
  var readsInService = false
  var polls = false
  var usesSpecialMask = false
  var automaticEOI = false
  var rotatesOnAutomaticEOI = false
  var specialFullyNested = false
  var expectsICW4 = false
  var initialisation = Initialisation.complete

  init(configurableLines: UInt8) {
    self.configurableLines = configurableLines
  }

  /// The input to be served next, 0 to 7; nil: the INT pin is low. "Fully Nested Mode" and after.
  var pending: UInt8? {
    @inline(__always)
    get {
      let candidates = requests & ~masked
      guard candidates != 0, initialisation == .complete else { return nil }
      // As software leaves it mostly.
      if inService == 0, highest == 0 {
        return UInt8(truncatingIfNeeded: candidates.trailingZeroBitCount)
      }
      return highestPending(candidates)
    }
  }

  private func highestPending(_ candidates: UInt8) -> UInt8? {
    guard let request = first(of: candidates) else { return nil }
    // Special mask mode: a masked level in service does not hold back the others.
    let blocking = usesSpecialMask ? inService & ~masked : inService
    guard let serving = first(of: blocking) else { return request }
    if rank(request) < rank(serving) { return request }
    // Special fully nested mode: the slave may ask again for a higher one of its inputs.
    let nests = specialFullyNested && request == serving && request == PIC.cascadeLine
    return nests ? request : nil
  }

  /// One INTA sequence.
  ///
  /// - Returns: The input, 0 to 7. Without a request it is 7, and no ISR bit is set: a spurious
  ///   interrupt ("Interrupt Sequence", last paragraph).
  mutating func acknowledge() -> UInt8 {
    guard let line = pending else { return 7 }
    let bit: UInt8 = 1 << (line & 7)
    if levelTriggered & bit == 0 { requests &= ~bit }
    if !automaticEOI {
      inService |= bit
    } else if rotatesOnAutomaticEOI {
      highest = (line &+ 1) & 7
    }
    return line
  }

  mutating func setLine(_ line: UInt8, _ level: Bool) {
    let bit: UInt8 = 1 << (line & 7)
    if levelTriggered & bit != 0 {
      requests = level ? requests | bit : requests & ~bit
    } else if level && lines & bit == 0 {
      requests |= bit
    }
    lines = level ? lines | bit : lines & ~bit
  }

  mutating func holdLine(_ line: UInt8, at level: Bool) {
    let bit: UInt8 = 1 << (line & 7)
    let edges = requests & ~levelTriggered
    setLine(line, level)
    requests = requests & (levelTriggered | ~bit) | edges & bit
  }

  mutating func setLevelTriggered(_ mask: UInt8) {
    let new = mask & configurableLines
    let changed = new & ~levelTriggered
    requests = (requests & ~changed) | (lines & changed)
    levelTriggered = new
  }

  /// The first input of a mask in the order of priority.
  func first(of mask: UInt8) -> UInt8? {
    guard mask != 0 else { return nil }
    let rotated = mask >> highest | mask << (8 &- highest)
    return (UInt8(truncatingIfNeeded: rotated.trailingZeroBitCount) &+ highest) & 7
  }

  /// 0 for the input of the highest priority, 7 for the lowest.
  private func rank(_ line: UInt8) -> UInt8 { (line &- highest) & 7 }
}
