// SPDX-License-Identifier: Apache-2.0
// The PC's pair of 8259A interrupt controllers and their edge/level registers.

/// Two 8259A: the slave's INT pin is the master's input 2. Ports 0x20, 0x21 (master), 0xa0, 0xa1
/// (slave), 0x4d0 and 0x4d1 (ELCR of the PIIX chip).
///
/// The cascade input follows the slave's INT pin: a request that the slave withdraws, for example
/// because software masks it, is withdrawn at the master too. A real edge-triggered input may
/// leave a spurious IRQ15 behind; no software needs that.
public struct PIC {
  /// The master's input that the slave is wired to.
  static let cascadeLine: UInt8 = 2

  var master: PICChip
  var slave: PICChip

  /// As after a reset: nothing masked, vectors from 0, all inputs edge-triggered.
  public init() {
    // IRQ 0, 1, 2, 8 and 13 cannot be made level-triggered (82371AB, ELCR1 and ELCR2).
    master = PICChip(configurableLines: 0xf8)
    slave = PICChip(configurableLines: 0xde)
  }

  /// The INTR pin: an interrupt waits for `acknowledge()`.
  public var requestsInterrupt: Bool {
    @inline(__always)
    get { master.requests & ~master.masked != 0 && master.pending != nil }
  }

  /// Answers the processor's INTA cycles. Without a request: the master's spurious IRQ7.
  ///
  /// - Returns: The vector.
  public mutating func acknowledge() -> UInt8 {
    let line = master.acknowledge()
    guard line == Self.cascadeLine else { return master.vectorBase | line }
    let vector = slave.vectorBase | slave.acknowledge()
    updateCascade()
    return vector
  }

  /// Sets the level of an IRQ line, 0 to 15. Line 2 is the cascade; it and all others are ignored.
  public mutating func setLine(_ line: Int, _ level: Bool) {
    change(line) { $0.setLine($1, level) }
  }

  /// The level of a line whose edges are told otherwise.
  public mutating func holdLine(_ line: Int, at level: Bool) {
    change(line) { $0.holdLine($1, at: level) }
  }

  private mutating func change(_ line: Int, _ body: (inout PICChip, UInt8) -> Void) {
    guard line >= 0, line < 16, line != Int(Self.cascadeLine) else { return }
    let input = UInt8(truncatingIfNeeded: line & 7)
    if line < 8 {
      body(&master, input)
    } else {
      body(&slave, input)
      updateCascade()
    }
  }

  /// Whether an IRQ line, 0 to 15, cannot reach the INTR pin: masked, or behind a masked cascade.
  public func isMasked(_ line: Int) -> Bool { unmaskedLines & 1 << UInt16(line & 15) == 0 }

  /// The IRQ lines that can reach the INTR pin: bit n is line n.
  public var unmaskedLines: UInt16 {
    let upper = master.masked & 1 << Self.cascadeLine == 0 ? ~slave.masked : 0
    return UInt16(upper) << 8 | UInt16(~master.masked)
  }

  /// The IRQ lines whose interrupt waits for its EOI: bit n is line n.
  public var linesInService: UInt32 {
    @inline(__always) get { UInt32(slave.inService) << 8 | UInt32(master.inService) }
  }

  /// Level-triggered inputs that are asserted: bit n is input n.
  var assertedLevels: UInt32 {
    UInt32(master.lines & master.levelTriggered)
      | UInt32(slave.lines & slave.levelTriggered) << 8
  }

  /// The next read of a port is an acknowledgement.
  public var polls: Bool { @inline(__always) mutating get { master.polls || slave.polls } }

  /// Reads one of the six ports; 0xff for any other.
  @inline(__always)
  public mutating func read(port: UInt16) -> UInt8 {
    switch port {
    case 0x20, 0x21: return master.read(odd: port & 1 != 0)
    case 0xa0, 0xa1:
      let value = slave.read(odd: port & 1 != 0)
      updateCascade()  // a poll acknowledges
      return value
    case 0x4d0: return master.levelTriggered
    case 0x4d1: return slave.levelTriggered
    default: return 0xff
    }
  }

  /// Writes one of the six ports; any other is ignored.
  @inline(__always)
  public mutating func write(port: UInt16, _ value: UInt8) {
    switch port {
    case 0x20: master.writeCommand(value)
    case 0x21: master.writeData(value)
    case 0xa0: slave.writeCommand(value)
    case 0xa1: slave.writeData(value)
    case 0x4d0: master.setLevelTriggered(value)
    case 0x4d1: slave.setLevelTriggered(value)
    default: break
    }
    updateCascade()
  }

  @inline(__always)
  mutating func updateCascade() {
    let bit: UInt8 = 1 << Self.cascadeLine
    master.requests = slave.pending != nil ? master.requests | bit : master.requests & ~bit
  }
}
