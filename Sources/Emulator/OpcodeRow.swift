// SPDX-License-Identifier: Apache-2.0

/// Where an instruction's operands are.
enum OperandForm: UInt8 {
  /// Nowhere, or where the operation says itself.
  case implied
  /// ModRM's rm and reg; the first is the destination.
  case rmReg, regRM
  /// ModRM's rm alone.
  case rm
  /// rm, and a constant of the operand's size but four bytes at most, or of one byte.
  case rmConstant, rmByte
  /// rm and CL, or rm and 1.
  case rmCL, rmOne
  /// Three operands.
  case rmRegByte, rmRegCL, regRMConstant, regRMByte
  /// The accumulator and an address in the instruction.
  case accumulatorOffset, offsetAccumulator
  /// The register in the opcode's low bits.
  case opcodeRegister
  case constant, byte, word

  var hasModRM: Bool {
    rawValue >= OperandForm.rmReg.rawValue && rawValue <= OperandForm.regRMByte.rawValue
  }
}

/// A line of the opcode tables: what an opcode does, with which operands.
struct OpcodeRow {
  struct Traits: OptionSet {
    let rawValue: UInt16
    /// The operand is one byte.
    static let byte = Traits(rawValue: 1 << 0)
    /// LOCK may stand before it where the destination is memory.
    static let lock = Traits(rawValue: 1 << 1)
    /// In 64-bit code the operand is eight bytes without REX.W.
    static let stack = Traits(rawValue: 1 << 2)
    /// rm is one byte, whatever the size of the other operand is; or two; or four.
    static let byteSource = Traits(rawValue: 1 << 3)
    static let wordSource = Traits(rawValue: 1 << 4)
    static let doubleSource = Traits(rawValue: 1 << 5)
    /// rm has to be memory.
    static let memory = Traits(rawValue: 1 << 6)
    /// Not in 64-bit code.
    static let legacy = Traits(rawValue: 1 << 7)
    /// rm lies at a multiple of its size.
    static let aligned = Traits(rawValue: 1 << 8)
  }

  var operation: Operation
  var form: OperandForm
  var traits: Traits
  /// Bytes of the operand where no prefix changes them, or 0.
  var size: UInt8

  @inline(__always)
  init(_ operation: Operation, _ form: OperandForm, _ traits: Traits = [], size: UInt8 = 0) {
    self.operation = operation
    self.form = form
    self.traits = traits
    self.size = size
  }

  static var unknown: OpcodeRow { OpcodeRow(.unknown, .implied) }
}
