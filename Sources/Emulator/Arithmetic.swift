// SPDX-License-Identifier: Apache-2.0
import X86

/// An operation of the arithmetic unit that changes the status flags.
enum Arithmetic: UInt8 {
  // The first eight are numbered as opcodes encode them.
  case add = 0
  case or, addCarry, subtractBorrow, and, subtract, exclusiveOr, compare
  case test
  case increment, decrement
  case not, negate

  /// COMPARE and TEST only set flags.
  var storesResult: Bool { self != .compare && self != .test }

  /// The result, and RFLAGS after it. One-operand operations ignore `right`. AF is cleared
  /// where the manual leaves it undefined. SDM vol. 1, 7.3.2 to 7.3.5.
  func evaluate(
    _ left: UInt64, _ right: UInt64, size: UInt8, flags: RFLAGS
  ) -> ArithmeticResult {
    let carry: UInt64 = flags.contains(.carry) ? 1 : 0
    switch self {
    case .add: return .sum(left, right, 0, size, flags)
    case .addCarry: return .sum(left, right, carry, size, flags)
    case .subtract, .compare: return .difference(left, right, 0, size, flags)
    case .subtractBorrow: return .difference(left, right, carry, size, flags)
    case .or: return .logical(left | right, size, flags)
    case .and, .test: return .logical(left & right, size, flags)
    case .exclusiveOr: return .logical(left ^ right, size, flags)
    case .increment:
      return ArithmeticResult.sum(left, 1, 0, size, flags).keepingCarry(of: flags)
    case .decrement:
      return ArithmeticResult.difference(left, 1, 0, size, flags).keepingCarry(of: flags)
    case .not: return ArithmeticResult(value: ~left & mask(size), flags: flags)
    case .negate: return .difference(0, left, 0, size, flags)
    }
  }
}

/// What an arithmetic operation leaves: a value of the operation's size, and RFLAGS.
struct ArithmeticResult: Equatable {
  var value: UInt64
  var flags: RFLAGS

  static func sum(
    _ left: UInt64, _ right: UInt64, _ carry: UInt64, _ size: UInt8, _ old: RFLAGS
  ) -> Self {
    let mask = mask(size)
    let value = (left &+ right &+ carry) & mask
    let carries = left & right | (left | right) & ~value
    let overflow = (left ^ value) & (right ^ value)
    return Self(value: value, flags: old.status(value, size, carries: carries, overflow: overflow))
  }

  static func difference(
    _ left: UInt64, _ right: UInt64, _ borrow: UInt64, _ size: UInt8, _ old: RFLAGS
  ) -> Self {
    let mask = mask(size)
    let value = (left &- right &- borrow) & mask
    let borrows = ~left & right | (~left | right) & value
    let overflow = (left ^ right) & (left ^ value)
    return Self(value: value, flags: old.status(value, size, carries: borrows, overflow: overflow))
  }

  static func logical(_ result: UInt64, _ size: UInt8, _ old: RFLAGS) -> Self {
    let value = result & mask(size)
    return Self(value: value, flags: old.status(value, size, carries: 0, overflow: 0))
  }

  fileprivate func keepingCarry(of old: RFLAGS) -> Self {
    Self(value: value, flags: flags.subtracting(.carry).union(old.intersection(.carry)))
  }
}

extension RFLAGS {
  /// These flags with the status flags of a result. Bit n of `carries` is the carry out of
  /// bit n; the sign bit of `overflow` is OF.
  fileprivate func status(
    _ value: UInt64, _ size: UInt8, carries: UInt64, overflow: UInt64
  ) -> RFLAGS {
    let signBit: UInt64 = 1 &<< (UInt64(size) &* 8 &- 1)
    var flags = subtracting(.status)
    if carries & signBit != 0 { flags.formUnion(.carry) }
    if UInt8(truncatingIfNeeded: value).nonzeroBitCount & 1 == 0 { flags.formUnion(.parity) }
    if carries & 1 << 3 != 0 { flags.formUnion(.auxiliaryCarry) }
    if value == 0 { flags.formUnion(.zero) }
    if value & signBit != 0 { flags.formUnion(.sign) }
    if overflow & signBit != 0 { flags.formUnion(.overflow) }
    return flags
  }
}
