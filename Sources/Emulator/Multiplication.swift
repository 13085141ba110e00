// SPDX-License-Identifier: Apache-2.0

/// A product of twice the size of its factors. SDM vol. 2, MUL and IMUL.
struct Product {
  let low: UInt64
  let high: UInt64
  /// The high half is not only an extension of the low one.
  let overflows: Bool

  init(_ left: UInt64, _ right: UInt64, size: UInt8, isSigned: Bool) {
    let bits = UInt64(size) * 8
    if isSigned {
      let full = signed(left, size).multipliedFullWidth(by: signed(right, size))
      low = full.low & mask(size)
      let upper = size == 8 ? UInt64(bitPattern: full.high) : full.low >> bits
      high = upper & mask(size)
      let fill = signed(low, size) < 0 ? mask(size) : 0
      overflows = high != fill
    } else {
      let full = (left & mask(size)).multipliedFullWidth(by: right & mask(size))
      low = full.low & mask(size)
      high = size == 8 ? full.high : full.low >> bits
      overflows = high != 0
    }
  }
}

/// A quotient of a dividend of twice its size. Nil is a divide error. SDM vol. 2, DIV and IDIV.
struct Quotient {
  var value: UInt64
  var remainder: UInt64

  init?(high: UInt64, low: UInt64, divisor: UInt64, size: UInt8) {
    // The quotient fits where the dividend's high half is less than the divisor.
    guard divisor != 0, high < divisor else { return nil }
    if size < 8 {
      let dividend = high << (UInt64(size) * 8) | low
      value = dividend / divisor
      remainder = dividend % divisor
    } else {
      (value, remainder) = Self.divide(high, low, divisor)
    }
  }

  /// The quotient is cut towards zero, and the remainder has the dividend's sign.
  init?(signedHigh: UInt64, low: UInt64, divisor: UInt64, size: UInt8) {
    let isNegative = signed(signedHigh, size) < 0
    var high = signedHigh
    var low = low
    if isNegative {
      low = (0 &- low) & mask(size)
      high = (~high &+ (low == 0 ? 1 : 0)) & mask(size)
    }
    let divisor = signed(divisor, size)
    guard
      let magnitude = Quotient(
        high: high, low: low, divisor: UInt64(divisor.magnitude), size: size)
    else { return nil }
    let quotientIsNegative = isNegative != (divisor < 0)
    let limit = (mask(size) >> 1) &+ (quotientIsNegative ? 1 : 0)
    guard magnitude.value <= limit else { return nil }
    value = (quotientIsNegative ? 0 &- magnitude.value : magnitude.value) & mask(size)
    remainder = (isNegative ? 0 &- magnitude.remainder : magnitude.remainder) & mask(size)
  }

  /// 128 bits by 64, bit by bit: there is no such division without a run-time library.
  private static func divide(
    _ high: UInt64, _ low: UInt64, _ divisor: UInt64
  ) -> (UInt64, UInt64) {
    var remainder = high
    var quotient = low
    for _ in 0..<64 {
      let carry = remainder >> 63
      remainder = remainder << 1 | quotient >> 63
      quotient <<= 1
      if carry == 1 || remainder >= divisor {
        remainder = remainder &- divisor
        quotient |= 1
      }
    }
    return (quotient, remainder)
  }
}
