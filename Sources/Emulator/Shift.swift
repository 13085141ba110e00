// SPDX-License-Identifier: Apache-2.0
import X86

/// Shifts and rotations, numbered as group 2 encodes them. SDM vol. 2, RCL and SAL.
enum Shift: UInt8 {
  case rotateLeft = 0
  case rotateRight, rotateCarryLeft, rotateCarryRight
  case left, right, leftAgain, arithmeticRight

  /// OF is what shifting by one bit makes it; the manual leaves it undefined for more.
  func evaluate(_ value: UInt64, count: UInt64, size: UInt8, flags: RFLAGS) -> ArithmeticResult {
    let count = count & (size == 8 ? 63 : 31)
    guard count != 0 else { return ArithmeticResult(value: value, flags: flags) }
    switch self {
    case .rotateLeft, .rotateRight: return rotate(value, count, size, flags)
    case .rotateCarryLeft, .rotateCarryRight: return rotateCarry(value, count, size, flags)
    case .left, .leftAgain, .right, .arithmeticRight: return shift(value, count, size, flags)
    }
  }

  private func shift(
    _ value: UInt64, _ count: UInt64, _ size: UInt8, _ flags: RFLAGS
  ) -> ArithmeticResult {
    let bits = UInt64(size) * 8
    let top = bits - 1
    var result: UInt64
    let carry: UInt64
    let overflow: UInt64
    switch self {
    case .right:
      result = value >> count
      carry = value >> (count - 1) & 1
      overflow = value >> top & 1
    case .arithmeticRight:
      let wide = signed(value, size)
      result = UInt64(bitPattern: wide >> Int64(count)) & mask(size)
      carry = UInt64(bitPattern: wide >> Int64(count - 1)) & 1
      overflow = 0
    default:
      result = value << count & mask(size)
      carry = count <= bits ? value >> (bits - count) & 1 : 0
      overflow = (result >> top ^ carry) & 1
    }
    return ArithmeticResult(
      value: result,
      flags: flags.result(result, size).carry(carry).overflow(overflow))
  }

  private func rotate(
    _ value: UInt64, _ count: UInt64, _ size: UInt8, _ flags: RFLAGS
  ) -> ArithmeticResult {
    let bits = UInt64(size) * 8
    let left = (self == .rotateLeft ? count : bits - count % bits) % bits
    let result = (value << left | (left == 0 ? 0 : value >> (bits - left))) & mask(size)
    let top = result >> (bits - 1) & 1
    let carry = self == .rotateLeft ? result & 1 : top
    let overflow = self == .rotateLeft ? top ^ carry : top ^ result >> (bits - 2) & 1
    return ArithmeticResult(value: result, flags: flags.carry(carry).overflow(overflow))
  }

  private func rotateCarry(
    _ value: UInt64, _ count: UInt64, _ size: UInt8, _ flags: RFLAGS
  ) -> ArithmeticResult {
    let bits = UInt64(size) * 8
    var result = value
    var carry: UInt64 = flags.contains(.carry) ? 1 : 0
    for _ in 0..<count % (bits + 1) {
      if self == .rotateCarryLeft {
        let out = result >> (bits - 1) & 1
        result = (result << 1 | carry) & mask(size)
        carry = out
      } else {
        let out = result & 1
        result = result >> 1 | carry << (bits - 1)
        carry = out
      }
    }
    let top = result >> (bits - 1) & 1
    let overflow = self == .rotateCarryLeft ? top ^ carry : top ^ result >> (bits - 2) & 1
    return ArithmeticResult(value: result, flags: flags.carry(carry).overflow(overflow))
  }
}

/// SHLD and SHRD: bits of a second operand are shifted in.
enum DoubleShift {
  static func left(
    _ value: UInt64, _ source: UInt64, count: UInt64, size: UInt8, flags: RFLAGS
  ) -> ArithmeticResult {
    let count = count & (size == 8 ? 63 : 31)
    let bits = UInt64(size) * 8
    guard count != 0 else { return ArithmeticResult(value: value, flags: flags) }
    // Undefined beyond the operand's size, which only 2 bytes allow: the operand comes round.
    let wide = count > bits ? source << bits | value : value << bits | source
    let result =
      size == 8
      ? value << count | source >> (64 - count)
      : (wide << (count % bits == 0 ? bits : count % bits)) >> bits & mask(size)
    let carry = count <= bits ? value >> (bits - count) & 1 : 0
    return finish(value, result, carry, size, flags)
  }

  static func right(
    _ value: UInt64, _ source: UInt64, count: UInt64, size: UInt8, flags: RFLAGS
  ) -> ArithmeticResult {
    let count = count & (size == 8 ? 63 : 31)
    let bits = UInt64(size) * 8
    guard count != 0 else { return ArithmeticResult(value: value, flags: flags) }
    let wide = count > bits ? value << bits | source : source << bits | value
    let result =
      size == 8
      ? value >> count | source << (64 - count)
      : wide >> (count % bits == 0 ? bits : count % bits) & mask(size)
    let carry = count <= bits ? value >> (count - 1) & 1 : 0
    return finish(value, result, carry, size, flags)
  }

  private static func finish(
    _ value: UInt64, _ result: UInt64, _ carry: UInt64, _ size: UInt8, _ flags: RFLAGS
  ) -> ArithmeticResult {
    let overflow = (value ^ result) >> (UInt64(size) * 8 - 1) & 1
    return ArithmeticResult(
      value: result, flags: flags.result(result, size).carry(carry).overflow(overflow))
  }
}

extension RFLAGS {
  /// SF, ZF and PF of a result; AF is cleared.
  func result(_ value: UInt64, _ size: UInt8) -> RFLAGS {
    var flags = subtracting([.sign, .zero, .parity, .auxiliaryCarry])
    if signed(value, size) < 0 { flags.insert(.sign) }
    if value == 0 { flags.insert(.zero) }
    if UInt8(truncatingIfNeeded: value).nonzeroBitCount & 1 == 0 { flags.insert(.parity) }
    return flags
  }

  func carry(_ bit: UInt64) -> RFLAGS {
    bit & 1 == 1 ? union(.carry) : subtracting(.carry)
  }

  func overflow(_ bit: UInt64) -> RFLAGS {
    bit & 1 == 1 ? union(.overflow) : subtracting(.overflow)
  }
}
