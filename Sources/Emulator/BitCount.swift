// SPDX-License-Identifier: Apache-2.0
import X86

/// BSF, BSR, TZCNT, LZCNT and POPCNT. SDM vol. 2.
struct BitCount {
  /// Nil: the destination stays as it is.
  var value: UInt64?
  var flags: RFLAGS

  /// Of zero nothing is stored, as both vendors' processors do.
  static func scanForward(_ value: UInt64, _ flags: RFLAGS) -> BitCount {
    guard value != 0 else { return BitCount(value: nil, flags: flags.union(.zero)) }
    return BitCount(value: UInt64(value.trailingZeroBitCount), flags: flags.subtracting(.zero))
  }

  static func scanReverse(_ value: UInt64, _ flags: RFLAGS) -> BitCount {
    guard value != 0 else { return BitCount(value: nil, flags: flags.union(.zero)) }
    return BitCount(
      value: UInt64(63 - value.leadingZeroBitCount), flags: flags.subtracting(.zero))
  }

  static func trailingZeros(_ value: UInt64, _ size: UInt8, _ flags: RFLAGS) -> BitCount {
    count(min(UInt64(value.trailingZeroBitCount), UInt64(size) * 8), size, flags)
  }

  static func leadingZeros(_ value: UInt64, _ size: UInt8, _ flags: RFLAGS) -> BitCount {
    count(UInt64(value.leadingZeroBitCount) - (64 - UInt64(size) * 8), size, flags)
  }

  private static func count(_ count: UInt64, _ size: UInt8, _ flags: RFLAGS) -> BitCount {
    var flags = flags.subtracting([.carry, .zero])
    if count == UInt64(size) * 8 { flags.insert(.carry) }
    if count == 0 { flags.insert(.zero) }
    return BitCount(value: count, flags: flags)
  }

  static func population(_ value: UInt64, _ flags: RFLAGS) -> BitCount {
    let flags = flags.subtracting(.status)
    return BitCount(
      value: UInt64(value.nonzeroBitCount), flags: value == 0 ? flags.union(.zero) : flags)
  }
}
