// SPDX-License-Identifier: Apache-2.0

/// Opcodes of two bytes, of which the first is 0F. SDM vol. 2, table A-3.
extension InstructionDecoder {
  mutating func twoByteOpcode() throws(DecodingFailure) -> Instruction {
    let opcode = try bytes.next()
    let wide = prefixes.operandSize
    switch opcode {
    case 0x01: return try systemGroup()
    case 0x06: return make(.clearTaskSwitched, size: 4)
    case 0x20, 0x22: return try moveControlRegister(opcode)
    case 0xa3: return try intoOperand(.bit(.test), size: wide)
    case 0xab: return try intoOperand(.bit(.set), size: wide)
    case 0xb3: return try intoOperand(.bit(.reset), size: wide)
    case 0xbb: return try intoOperand(.bit(.complement), size: wide)
    case 0xba: return try bitGroup(size: wide)
    case 0xb0: return try intoOperand(.compareExchange, size: 1)
    case 0xb1: return try intoOperand(.compareExchange, size: wide)
    case 0xc0: return try intoOperand(.exchangeAdd, size: 1)
    case 0xc1: return try intoOperand(.exchangeAdd, size: wide)
    case 0xb6, 0xb7, 0xbe, 0xbf: return try moveExtended(opcode)
    default: throw .unsupported
    }
  }

  /// MOVZX and MOVSX.
  private mutating func moveExtended(_ opcode: UInt8) throws(DecodingFailure) -> Instruction {
    let sourceSize: UInt8 = opcode & 1 == 0 ? 1 : 2
    let operands = try operands(size: sourceSize)
    let size = prefixes.operandSize
    var instruction = make(
      .move, register(field: operands.field, size: size), operands.operand, size: size,
      sourceSize: sourceSize)
    instruction.isSignExtended = opcode & 8 != 0
    return instruction
  }

  /// Group 8.
  private mutating func bitGroup(size: UInt8) throws(DecodingFailure) -> Instruction {
    let operands = try operands(size: size)
    guard operands.field >= 4, let operation = BitOperation(rawValue: operands.field - 4) else {
      throw .unsupported
    }
    return make(.bit(operation), operands.operand, try immediate(size: 1), size: size)
  }

  /// MOV to and from a control register: mod is ignored, the size is the mode's.
  private mutating func moveControlRegister(
    _ opcode: UInt8
  ) throws(DecodingFailure) -> Instruction {
    let byte = try bytes.next()
    let number = byte >> 3 & 7 | prefixes.registerExtension
    switch number {
    case 0, 2, 3, 4, 8: break
    default: throw .unsupported
    }
    let control = Operand.controlRegister(number)
    let general = Operand.register(RegisterOperand(byte & 7 | prefixes.baseExtension))
    let size: UInt8 = prefixes.mode == .bits64 ? 8 : 4
    return opcode == 0x20
      ? make(.moveControlRegister, general, control, size: size)
      : make(.moveControlRegister, control, general, size: size)
  }

  /// Group 7: what it has for memory, and SMSW and LMSW of a register.
  private mutating func systemGroup() throws(DecodingFailure) -> Instruction {
    let operands = try operands(size: 2)
    var isMemory = false
    if case .memory = operands.operand { isMemory = true }
    switch operands.field {
    case 4:
      return make(
        .storeMachineStatusWord, operands.operand, size: isMemory ? 2 : prefixes.operandSize)
    case 6: return make(.loadMachineStatusWord, .none, operands.operand, size: 2)
    case 7 where isMemory: return make(.invalidatePage, operands.operand, size: 1)
    default: throw .unsupported
    }
  }
}
