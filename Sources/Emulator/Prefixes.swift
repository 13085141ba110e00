// SPDX-License-Identifier: Apache-2.0
import X86

/// The prefixes of an instruction. SDM vol. 2, 2.1.1 and 2.2.1.
struct Prefixes {
  enum Repetition: UInt8 { case none, whileEqual, whileNotEqual }

  var overridesOperandSize = false
  var overridesAddressSize = false
  var isLocked = false
  var repetition = Repetition.none
  var segment: SegmentName?
  var rex: UInt8 = 0

  /// Reads all prefixes and gives the byte after them, the opcode.
  @inline(__always)
  mutating func read(_ reader: inout ByteReader, mode: CodeSize) -> UInt8 {
    while true {
      let byte = reader.next()
      // A REX prefix counts only as the last one.
      if mode == .bits64, byte & 0xf0 == 0x40 {
        rex = byte
        continue
      }
      switch byte {
      case 0x26: overrideSegment(.es, mode)
      case 0x2e: overrideSegment(.cs, mode)
      case 0x36: overrideSegment(.ss, mode)
      case 0x3e: overrideSegment(.ds, mode)
      case 0x64: segment = .fs
      case 0x65: segment = .gs
      case 0x66: overridesOperandSize = true
      case 0x67: overridesAddressSize = true
      case 0xf0: isLocked = true
      case 0xf2: repetition = .whileNotEqual
      case 0xf3: repetition = .whileEqual
      default: return byte
      }
      rex = 0
    }
  }

  /// 64-bit code ignores the prefixes of segments without a base.
  private mutating func overrideSegment(_ name: SegmentName, _ mode: CodeSize) {
    if mode != .bits64 { segment = name }
  }

  /// Bytes of operands that are not bytes: 2, 4 or 8.
  func operandSize(_ mode: CodeSize) -> UInt8 {
    if rex & 8 != 0 { return 8 }
    return (mode == .bits16) == overridesOperandSize ? 4 : 2
  }

  /// Bytes of an address: 2, 4 or 8.
  func addressSize(_ mode: CodeSize) -> UInt8 {
    switch mode {
    case .bits16: overridesAddressSize ? 4 : 2
    case .bits32: overridesAddressSize ? 2 : 4
    case .bits64: overridesAddressSize ? 4 : 8
    }
  }

  var mandatory: MandatoryPrefix {
    switch repetition {
    case .whileEqual: .repeat
    case .whileNotEqual: .repeatNotEqual
    case .none: overridesOperandSize ? .operandSize : .none
    }
  }
}

extension InstructionBytes {
  /// How many of the instruction's bytes are prefixes.
  public func prefixLength(_ mode: CodeSize) -> UInt64 {
    var reader = ByteReader(self)
    var prefixes = Prefixes()
    _ = prefixes.read(&reader, mode: mode)
    return UInt64(reader.position &- 1)
  }

  /// The general register that the ModRM byte of an instruction with a two-byte opcode names in its
  /// r/m field. SDM vol. 2, 2.1.5 and 2.2.1.2.
  public func generalRegister(_ mode: CodeSize) -> UInt8 {
    var reader = ByteReader(self)
    var prefixes = Prefixes()
    _ = prefixes.read(&reader, mode: mode)
    _ = reader.next()
    return reader.next() & 7 | (prefixes.rex & 1) << 3
  }

  /// 0 beyond the last.
  public func byte(at index: UInt64) -> UInt8 {
    let word = index < 8 ? low : high
    return index < 16 ? UInt8(truncatingIfNeeded: word >> ((index & 7) * 8)) : 0
  }
}
