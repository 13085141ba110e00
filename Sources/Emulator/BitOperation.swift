// SPDX-License-Identifier: Apache-2.0
import X86

/// BT, BTS, BTR and BTC, numbered as group 8 encodes them from 4 on. SDM vol. 2, BT.
enum BitOperation: UInt8 {
  case test = 0
  case set, reset, complement

  var storesResult: Bool { self != .test }

  /// The operand with its bit changed; CF is the bit as it was, and no other flag changes.
  /// Only the low bits of `number` count.
  func evaluate(
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
      value: result & mask(size),
      flags: value & bit != 0 ? others.union(.carry) : others)
  }
}
