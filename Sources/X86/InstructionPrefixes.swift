// SPDX-License-Identifier: Apache-2.0

/// The prefixes of an instruction. SDM vol. 2, 2.1.1 and 2.2.1.
struct InstructionPrefixes {
  enum Repetition { case none, whileEqual, whileNotEqual }

  let mode: CodeSize
  var overridesOperandSize = false
  var overridesAddressSize = false
  var segment: SegmentName?
  var repetition = Repetition.none
  var isLocked = false
  var rex: UInt8 = 0

  /// Reads all prefixes; `bytes` then stands at the opcode.
  init(_ bytes: inout InstructionBytes, mode: CodeSize) {
    self.mode = mode
    while let byte = bytes.peek, take(byte) { bytes.skip() }
  }

  /// False: not a prefix. A REX prefix counts only as the last of them.
  private mutating func take(_ byte: UInt8) -> Bool {
    if mode == .bits64, byte & 0xf0 == 0x40 {
      rex = byte
      return true
    }
    switch byte {
    case 0x26: overrideSegment(.es)
    case 0x2e: overrideSegment(.cs)
    case 0x36: overrideSegment(.ss)
    case 0x3e: overrideSegment(.ds)
    case 0x64: segment = .fs
    case 0x65: segment = .gs
    case 0x66: overridesOperandSize = true
    case 0x67: overridesAddressSize = true
    case 0xf0: isLocked = true
    case 0xf2: repetition = .whileNotEqual
    case 0xf3: repetition = .whileEqual
    default: return false
    }
    rex = 0
    return true
  }

  /// 64-bit code ignores the prefixes of segments without a base.
  private mutating func overrideSegment(_ name: SegmentName) {
    if mode != .bits64 { segment = name }
  }

  var isWide: Bool { rex & 8 != 0 }
  /// What REX adds to ModRM's reg, to SIB's index, and to ModRM's rm or SIB's base.
  var registerExtension: UInt8 { (rex & 4) << 1 }
  var indexExtension: UInt8 { (rex & 2) << 2 }
  var baseExtension: UInt8 { (rex & 1) << 3 }

  /// Bytes of operands that are not bytes: 2, 4 or 8.
  var operandSize: UInt8 {
    switch mode {
    case .bits64 where isWide: 8
    case .bits16: overridesOperandSize ? 4 : 2
    default: overridesOperandSize ? 2 : 4
    }
  }

  /// The same for what the stack takes.
  var stackOperandSize: UInt8 {
    guard mode == .bits64 else { return operandSize }
    return overridesOperandSize ? 2 : 8
  }

  var addressSize: UInt8 {
    switch mode {
    case .bits16: overridesAddressSize ? 4 : 2
    case .bits32: overridesAddressSize ? 2 : 4
    case .bits64: overridesAddressSize ? 4 : 8
    }
  }
}
