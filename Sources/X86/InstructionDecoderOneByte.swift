// SPDX-License-Identifier: Apache-2.0

/// Opcodes of one byte. SDM vol. 2, table A-2.
extension InstructionDecoder {
  mutating func oneByteOpcode(_ opcode: UInt8) throws(DecodingFailure) -> Instruction {
    // Where an opcode has a form for bytes, its lowest bit tells.
    let size = opcode & 1 == 0 ? 1 : prefixes.operandSize
    switch opcode {
    case 0x00...0x3f: return try arithmetic(opcode)
    case 0x63: return try moveSignExtendedDouble()
    case 0x6c, 0x6d, 0x6e, 0x6f, 0xe4...0xe7, 0xec...0xef:
      return try portAccess(opcode, size: min(size, 4))
    case 0x80, 0x81, 0x83: return try arithmeticImmediate(opcode, size: size)
    case 0x84, 0x85: return try intoOperand(.arithmetic(.test), size: size)
    case 0x86, 0x87: return try intoOperand(.exchange, size: size)
    case 0x88, 0x89: return try intoOperand(.move, size: size)
    case 0x8a, 0x8b: return try intoRegister(.move, size: size)
    case 0xa0...0xa3: return try moveAtOffset(opcode, size: size)
    case 0xa4, 0xa5: return make(.moveString, stringDestination, stringSource, size: size)
    case 0xaa, 0xab:
      return make(.storeString, stringDestination, .register(.accumulator), size: size)
    case 0xac, 0xad: return make(.loadString, .register(.accumulator), stringSource, size: size)
    case 0xc6, 0xc7:
      let operands = try operands(size: size)
      guard operands.field == 0 else { throw .unsupported }
      return make(.move, operands.operand, try immediate(size: size), size: size)
    case 0xf6, 0xf7: return try unaryGroup(size: size)
    case 0xfe, 0xff: return try incrementGroup(opcode, size: size)
    default: throw .unsupported
    }
  }

  /// `rm = operation(rm, reg)`.
  mutating func intoOperand(
    _ operation: Instruction.Operation, size: UInt8
  ) throws(DecodingFailure) -> Instruction {
    let operands = try operands(size: size)
    return make(
      operation, operands.operand, register(field: operands.field, size: size), size: size)
  }

  /// `reg = operation(reg, rm)`.
  mutating func intoRegister(
    _ operation: Instruction.Operation, size: UInt8
  ) throws(DecodingFailure) -> Instruction {
    let operands = try operands(size: size)
    return make(
      operation, register(field: operands.field, size: size), operands.operand, size: size)
  }

  private mutating func arithmetic(_ opcode: UInt8) throws(DecodingFailure) -> Instruction {
    guard let operation = Arithmetic(rawValue: opcode >> 3) else { throw .unsupported }
    let size = opcode & 1 == 0 ? 1 : prefixes.operandSize
    switch opcode & 7 {
    case 0, 1: return try intoOperand(.arithmetic(operation), size: size)
    case 2, 3: return try intoRegister(.arithmetic(operation), size: size)
    default: throw .unsupported
    }
  }

  /// Group 1. SDM vol. 2, table A-6.
  private mutating func arithmeticImmediate(
    _ opcode: UInt8, size: UInt8
  ) throws(DecodingFailure) -> Instruction {
    let operands = try operands(size: size)
    guard let operation = Arithmetic(rawValue: operands.field) else { throw .unsupported }
    let immediate = try immediate(size: opcode == 0x83 ? 1 : size)
    return make(.arithmetic(operation), operands.operand, immediate, size: size)
  }

  /// MOVSXD. With a 2-byte operand vendors differ in how much they read.
  private mutating func moveSignExtendedDouble() throws(DecodingFailure) -> Instruction {
    guard prefixes.mode == .bits64, prefixes.operandSize != 2 else { throw .unsupported }
    var instruction = try intoRegister(.move, size: prefixes.operandSize)
    instruction.sourceSize = 4
    instruction.isSignExtended = true
    return instruction
  }

  /// MOV between the accumulator and an address in the instruction.
  private mutating func moveAtOffset(
    _ opcode: UInt8, size: UInt8
  ) throws(DecodingFailure) -> Instruction {
    let memory = Operand.memory(
      MemoryOperand(
        displacement: try bytes.number(prefixes.addressSize), segment: prefixes.segment ?? .ds,
        addressSize: prefixes.addressSize))
    let accumulator = Operand.register(.accumulator)
    return opcode & 2 == 0
      ? make(.move, accumulator, memory, size: size)
      : make(.move, memory, accumulator, size: size)
  }

  private mutating func portAccess(
    _ opcode: UInt8, size: UInt8
  ) throws(DecodingFailure) -> Instruction {
    if opcode & 0xf0 == 0x60 {
      return opcode & 2 == 0
        ? make(.input, stringDestination, .portInDX, size: size)
        : make(.output, .portInDX, stringSource, size: size)
    }
    let port: Operand = opcode & 8 == 0 ? .port(try bytes.next()) : .portInDX
    let accumulator = Operand.register(.accumulator)
    return opcode & 2 == 0
      ? make(.input, accumulator, port, size: size)
      : make(.output, port, accumulator, size: size)
  }

  /// Group 3, without multiplication and division.
  private mutating func unaryGroup(size: UInt8) throws(DecodingFailure) -> Instruction {
    let operands = try operands(size: size)
    switch operands.field {
    case 0, 1:
      return make(
        .arithmetic(.test), operands.operand, try immediate(size: size), size: size)
    case 2: return make(.arithmetic(.not), operands.operand, size: size)
    case 3: return make(.arithmetic(.negate), operands.operand, size: size)
    default: throw .unsupported
    }
  }

  /// Groups 4 and 5, without jumps and calls.
  private mutating func incrementGroup(
    _ opcode: UInt8, size: UInt8
  ) throws(DecodingFailure) -> Instruction {
    let operands = try operands(size: size)
    switch operands.field {
    case 0: return make(.arithmetic(.increment), operands.operand, size: size)
    case 1: return make(.arithmetic(.decrement), operands.operand, size: size)
    case 6 where opcode == 0xff:
      return make(.push, .none, operands.operand, size: prefixes.stackOperandSize)
    default: throw .unsupported
    }
  }
}
