// SPDX-License-Identifier: Apache-2.0

/// BT, BTS, BTR and BTC, numbered as opcodes encode them from 4 on. SDM vol. 2, BT.
public enum BitOperation: UInt8, Sendable {
  case test = 0
  case set, reset, complement

  public var storesResult: Bool { self != .test }

  /// The operand with its bit changed; CF is the bit as it was, and no other flag changes.
  /// Only the low bits of `number` count: see `Instruction.offset`.
  public func evaluate(
    _ value: UInt64, bit number: UInt64, size: UInt8, flags: RFLAGS
  ) -> ArithmeticResult {
    let bit: UInt64 = 1 << (number & (UInt64(size) * 8 - 1))
    let result =
      switch self {
      case .test: value
      case .set: value | bit
      case .reset: value & ~bit
      case .complement: value ^ bit
      }
    let others = flags.subtracting(.carry)
    return ArithmeticResult(
      value: result & Instruction.mask(size),
      flags: value & bit != 0 ? others.union(.carry) : others)
  }
}

/// CMPXCHG. SDM vol. 2, CMPXCHG.
public struct CompareExchangeResult: Equatable, Sendable {
  /// What the destination is written with, in either case.
  public var destination: UInt64
  /// What the accumulator is written with; nil if the values were equal.
  public var accumulator: UInt64?
  public var flags: RFLAGS

  public init(
    destination: UInt64, source: UInt64, accumulator: UInt64, size: UInt8, flags: RFLAGS
  ) {
    let mask = Instruction.mask(size)
    let comparison = Arithmetic.compare.evaluate(
      accumulator & mask, destination & mask, size: size, flags: flags)
    let isEqual = comparison.value == 0
    self.destination = (isEqual ? source : destination) & mask
    self.accumulator = isEqual ? nil : destination & mask
    self.flags = comparison.flags
  }
}
