// SPDX-License-Identifier: Apache-2.0

/// A decoded instruction: what it does with which operands. Only those that a monitor has to
/// finish for a guest are known.
///
/// `destination = operation(destination, source)`: each operand says itself whether it is
/// a register, memory, a constant or a port.
public struct Instruction: Equatable, Sendable {
  public enum Operation: Equatable, Sendable {
    /// Also MOVZX, MOVSX and MOVSXD: the source, of `sourceSize`, is extended to `size`.
    case move
    case arithmetic(Arithmetic)
    case bit(BitOperation)
    case exchange
    case compareExchange
    case exchangeAdd
    /// The source goes onto the stack.
    case push
    case moveString
    case storeString
    case loadString
    /// IN, or INS where the destination is memory.
    case input
    /// OUT, or OUTS where the source is memory.
    case output
    /// MOV to or from a control register: one of the operands.
    case moveControlRegister
    /// LMSW: the source's low four bits go into CR0; PE can only be set.
    case loadMachineStatusWord
    /// SMSW: the low bytes of CR0, as many as `size`.
    case storeMachineStatusWord
    case clearTaskSwitched
    /// INVLPG of the destination's address; the memory is not touched.
    case invalidatePage
  }

  public var operation: Operation
  public var destination: Operand
  public var source: Operand
  /// Bytes of the destination: 1, 2, 4 or 8.
  public var size: UInt8
  /// Bytes of the source: less than `size` where it is extended.
  public var sourceSize: UInt8
  public var isSignExtended = false
  /// REP, REPE or REPNE before a string instruction.
  public var isRepeated = false
  public var isLocked = false
  public var mode: CodeSize
  /// Bytes of an address: 2, 4 or 8. String instructions count and step registers of this size.
  public var addressSize: UInt8
  public var prefixLength: UInt8
  /// All of it, prefixes too.
  public var length: UInt8

  /// The operand that an access to a device concerns, if only one is memory. MOVS has two: its
  /// source and its destination.
  public var memory: MemoryOperand? {
    if case .memory(let operand) = destination { return operand }
    if case .memory(let operand) = source { return operand }
    return nil
  }

  /// Bytes that `memory` is read or written with.
  public var memorySize: UInt8 {
    if case .memory = destination { size } else { sourceSize }
  }

  /// The source's value in the destination's size.
  public func extended(_ value: UInt64) -> UInt64 {
    let narrow = value & Self.mask(sourceSize)
    guard isSignExtended, narrow & Self.signBit(sourceSize) != 0 else { return narrow }
    return (narrow | ~Self.mask(sourceSize)) & Self.mask(size)
  }

  /// The bits of a value of `size` bytes.
  public static func mask(_ size: UInt8) -> UInt64 {
    size >= 8 ? .max : 1 << (UInt64(size) * 8) - 1
  }
  static func signBit(_ size: UInt8) -> UInt64 { mask(size) ^ mask(size) >> 1 }
}

/// The size of code: what CS.L and CS.D say. SDM vol. 3, 5.2.1.
public enum CodeSize: Sendable {
  case bits16
  case bits32
  case bits64
}
