// SPDX-License-Identifier: Apache-2.0

/// Opcodes of two bytes, of which the first is 0F. SDM vol. 2, table A-3. Those of vector registers
/// are in `VectorOpcodes`.
extension OpcodeRow {
  static func twoByte(_ opcode: UInt8) -> OpcodeRow {
    switch opcode {
    case 0x00: OpcodeRow(.group6, .rm)
    case 0x01: OpcodeRow(.group7, .rm)
    case 0x0d: OpcodeRow(.nothing, .rm, .memory)
    case 0x18: OpcodeRow(.group16, .rm)
    case 0x19...0x1f: OpcodeRow(.nothing, .rm)
    case 0x40...0x4f: OpcodeRow(.moveCondition, .regRM)
    case 0x90...0x9f: OpcodeRow(.setCondition, .rm, .byte)
    case 0xa0: OpcodeRow(.pushSegment, .implied, .stack)
    case 0xa1: OpcodeRow(.popSegment, .implied, .stack)
    case 0xa3: OpcodeRow(.bitTest, .rmReg)
    case 0xa4: OpcodeRow(.shiftLeftDouble, .rmRegByte)
    case 0xa5: OpcodeRow(.shiftLeftDouble, .rmRegCL)
    case 0xa8: OpcodeRow(.pushSegment, .implied, .stack)
    case 0xa9: OpcodeRow(.popSegment, .implied, .stack)
    case 0xab: OpcodeRow(.bitSet, .rmReg, .lock)
    case 0xac: OpcodeRow(.shiftRightDouble, .rmRegByte)
    case 0xad: OpcodeRow(.shiftRightDouble, .rmRegCL)
    case 0xae: OpcodeRow(.group15, .rm)
    case 0xaf: OpcodeRow(.multiplyInto, .regRM)
    case 0xb0: OpcodeRow(.compareExchange, .rmReg, [.byte, .lock])
    case 0xb1: OpcodeRow(.compareExchange, .rmReg, .lock)
    case 0xb3: OpcodeRow(.bitReset, .rmReg, .lock)
    case 0xb6: OpcodeRow(.moveZeroExtended, .regRM, .byteSource)
    case 0xb7: OpcodeRow(.moveZeroExtended, .regRM, .wordSource)
    case 0xb8: OpcodeRow(.populationCount, .regRM)
    case 0xba: OpcodeRow(.group8, .rmByte, .lock)
    case 0xbb: OpcodeRow(.bitComplement, .rmReg, .lock)
    case 0xbc: OpcodeRow(.bitScanForward, .regRM)
    case 0xbd: OpcodeRow(.bitScanReverse, .regRM)
    case 0xbe: OpcodeRow(.moveSignExtended, .regRM, .byteSource)
    case 0xbf: OpcodeRow(.moveSignExtended, .regRM, .wordSource)
    case 0xc0: OpcodeRow(.exchangeAdd, .rmReg, [.byte, .lock])
    case 0xc1: OpcodeRow(.exchangeAdd, .rmReg, .lock)
    // MOVNTI.
    case 0xc3: OpcodeRow(.move, .rmReg, .memory)
    case 0xc7: OpcodeRow(.group9, .rm, [.lock, .memory])
    default: .unknown
    }
  }

  /// Opcodes of three bytes, of which the first are 0F 38: MOVBE. SDM vol. 2, table A-4.
  static func threeByte(_ opcode: UInt8) -> OpcodeRow {
    switch opcode {
    case 0xf0: OpcodeRow(.moveSwapped, .regRM, .memory)
    case 0xf1: OpcodeRow(.moveSwapped, .rmReg, .memory)
    default: .unknown
    }
  }
}
