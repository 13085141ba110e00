// SPDX-License-Identifier: Apache-2.0
import X86

/// A decoded instruction: what it does, and where its operands are.
struct DecodedInstruction {
  /// Why bytes are not an instruction that the emulator executes.
  enum Failure: Error {
    /// More bytes are needed than could be fetched.
    case truncated
    /// More than 15 bytes: a general protection fault. SDM vol. 2, 2.3.11.
    case tooLong
    /// None that the emulator knows, or not an instruction at all.
    case unknown
  }

  var operation = Operation.unknown
  var form = OperandForm.implied
  var mode = CodeSize.bits64
  /// Bytes of the operand: 1, 2, 4, 8, and 16 of a vector register.
  var size: UInt8 = 0
  /// Bytes of rm: less than `size` where it is extended.
  var sourceSize: UInt8 = 0
  var addressSize: UInt8 = 0
  var opcode: UInt8 = 0
  /// All of it, prefixes too.
  var length: UInt8 = 0
  var repetition = Prefixes.Repetition.none
  var isLocked = false
  /// With REX the byte registers 4 to 7 are SPL, BPL, SIL and DIL, not AH, CH, DH and BH.
  var hasREX = false
  var isAligned = false
  /// The register that ModRM's reg field names, with REX.
  var reg: UInt8 = 0
  /// ModRM's reg field as it is.
  var field: UInt8 = 0
  /// The register that rm names, where it is none of memory.
  var rm: UInt8 = 0
  var isMemory = false

  // How the address of rm is computed. SDM vol. 1, 3.7.5.
  var segment = SegmentName.ds
  var base = Self.noRegister
  var index = Self.noRegister
  /// The index is multiplied by 1 << `scale`.
  var scale: UInt8 = 0
  /// The displacement counts from the next instruction.
  var isRelative = false
  var displacement: Int64 = 0

  /// The constant in the instruction, sign-extended.
  var constant: Int64 = 0

  static var noRegister: UInt8 { 0xff }
}
