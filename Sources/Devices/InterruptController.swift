// SPDX-License-Identifier: Apache-2.0
// The PICs and the I/O APIC on common lines, as one device.
import Contract

/// How an interrupt line reaches the guest.
public enum LineRoute: Equatable, Sendable {
  /// An edge is lost, and a level waits until the pin is unmasked.
  case masked
  /// An edge is this message and nothing else.
  case direct(IOAPICDelivery)
  /// The controllers have to be asked.
  case controllers
}

/// The PC's interrupt controllers. What changes one of them says which lines may reach the guest in
/// another way afterwards; `nextDelivery` and `requestsInterrupt` say what is to be done.
public struct InterruptController {
  public var pic = PIC()
  public var ioapic = IOAPIC()
  public private(set) var wiring = LineWiring()
  /// The levels of the lines as they were last taken over.
  public private(set) var levels: LineSet = 0

  public static var lines: Int { 24 }
  public static var allLines: LineSet { 0xff_ffff }

  public init() {}

  // MARK: Lines

  /// The driver's wiring may have changed.
  public mutating func rewire(_ vm: UnsafePointer<apus_vm>) { unsafe wiring.update(vm) }

  /// Takes over edges and levels. A level alone makes no edge: that of a line that the driver
  /// delivers itself may still be high.
  public mutating func take(edges: LineSet, levels: LineSet) {
    var changed = (edges | (levels ^ self.levels)) & Self.allLines
    self.levels = levels & Self.allLines
    while changed != 0 {
      let line = changed.trailingZeroBitCount
      let bit = changed & (0 &- changed)
      changed &= ~bit
      if edges & bit != 0 {
        setLine(line, false)
        setLine(line, true)
      }
      if wiring.reachPIC & bit != 0 { pic.holdLine(line, at: levels & bit != 0) }
      ioapic.holdLine(wiring.pin(of: line), at: levels & bit != 0)
    }
  }

  /// Takes the levels from the controllers, whose state was set: the lines of level-triggered inputs. An
  /// edge says nothing about its line.
  public mutating func adoptLevels() {
    levels = pic.assertedLevels & wiring.reachPIC
    var pins = ioapic.lines & ioapic.levelPins
    while pins != 0 {
      levels |= wiring.lines(of: pins.trailingZeroBitCount)
      pins &= pins &- 1
    }
  }

  /// Whether `take` has nothing to do.
  public mutating func isUpToDate(edges: LineSet, levels: LineSet) -> Bool {
    edges == 0 && levels == self.levels
  }

  public mutating func setLine(_ line: Int, _ level: Bool) {
    if wiring.reachPIC & 1 << LineSet(line) != 0 { pic.setLine(line, level) }
    ioapic.setLine(wiring.pin(of: line), level)
  }

  // MARK: Registers

  /// Writes one of the PICs' ports: see `PIC.write`.
  ///
  /// - Returns: The lines that are masked by now and were not before, or the other way round.
  @inline(__always)
  public mutating func writePIC(port: UInt16, _ value: UInt8) -> LineSet {
    let before = pic.unmaskedLines
    pic.write(port: port, value)
    return LineSet(before ^ pic.unmaskedLines)
  }

  /// Writes a register of the I/O APIC: see `IOAPIC.write`.
  ///
  /// - Returns: The lines whose redirection entry has changed.
  public mutating func writeIOAPIC(offset: UInt64, _ value: UInt32) -> LineSet {
    guard let pin = ioapic.write(offset: offset, value) else { return 0 }
    return wiring.lines(of: pin)
  }

  /// The lines whose level-triggered interrupt the local APICs' EOI for `vector` ends.
  public mutating func linesInService(vector: UInt8) -> LineSet {
    var pins = ioapic.pinsInService(vector: vector)
    var lines: LineSet = 0
    while pins != 0 {
      lines |= wiring.lines(of: pins.trailingZeroBitCount)
      pins &= pins &- 1
    }
    return lines
  }

  // MARK: What follows

  /// How a line, 0 to 23, reaches the guest now.
  public mutating func route(of line: Int) -> LineRoute {
    if wiring.reachPIC & LineSet(pic.unmaskedLines) & 1 << LineSet(line) != 0 {
      return .controllers
    }
    switch ioapic.route(pin: wiring.pin(of: line)) {
    case .masked: return .masked
    case .monitor: return .controllers
    case .direct(let delivery): return .direct(delivery)
    }
  }
}
