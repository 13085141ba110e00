// SPDX-License-Identifier: Apache-2.0
// What a counter shows: its count, its OUT pin, its status byte, the edges that it will make.

extension PITChannel {
  /// CE as software reads it, BCD or binary. "Mode Definitions" of the datasheet. After
  /// `settle(now:)`.
  @inline(__always)
  mutating func value(now: UInt64) -> UInt16 {
    guard phase != .idle && phase != .armed else { return 0 }
    let ticks = elapsed(now: now)
    let value: UInt32
    if mode == 2 {
      value = count &- phaseOfPeriod(ticks)
    } else if mode == 3 {
      // Counts by two, from an even number: an odd count is high for one tick more than it is low.
      let tick = phaseOfPeriod(ticks)
      let high = (count &+ 1) / 2
      value = (count & ~1) &- 2 &* (tick < high ? tick : tick &- high)
    } else {
      // Goes on below zero, from 9999 or 0xffff.
      let size: UInt64 = isBCD ? 10000 : 0x10000
      let passed = ticks % size
      value = UInt32(truncatingIfNeeded: (UInt64(count) &+ size &- passed) % size)
    }
    return isBCD ? BCD.encode(value) : UInt16(truncatingIfNeeded: value)
  }

  /// The OUT pin. After `settle(now:)`.
  mutating func output(now: UInt64) -> Bool {
    let ticks = elapsed(now: now)
    switch mode {
    case 0: return phase != .idle && ticks >= UInt64(count)
    case 1: return phase != .counting || ticks >= UInt64(count)
    case 2: return phase != .counting || phaseOfPeriod(ticks) != count &- 1 || count == 1
    case 3: return phase != .counting || phaseOfPeriod(ticks) < (count &+ 1) / 2
    default: return phase != .counting || ticks != UInt64(count)
    }
  }

  /// The status byte of the read-back command. After `settle(now:)`.
  mutating func status(now: UInt64) -> UInt8 {
    let isNull = phase == .idle || now < loadTime
    return (output(now: now) ? 0x80 : 0) | (isNull ? 0x40 : 0) | access.rawValue << 4
      | programmedMode << 1 | (isBCD ? 1 : 0)
  }

  /// The rising edges of OUT since the counter was programmed.
  @inline(__always) var timer: PITTimer? {
    guard phase == .counting else { return nil }
    switch mode {
    case 0: return PITTimer(first: start &+ UInt64(count), period: 0)
    case 2, 3:
      // A count that waits takes over at the end of a cycle, which is an edge too.
      let first = loadTime == start ? start &+ UInt64(register) : loadTime
      return PITTimer(first: first, period: UInt64(register))
    // Low for one tick when the count reaches zero.
    default: return PITTimer(first: start &+ UInt64(count) &+ 1, period: 0)
    }
  }

  /// Ticks since the last reload. `count` is never 0.
  private mutating func phaseOfPeriod(_ ticks: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: ticks % UInt64(max(count, 1)))
  }
}

/// Four decimal digits in 16 bits.
enum BCD {
  /// 0 stands for 10000. Digits above 9 count as what they are worth, up to 15.
  static func decode(_ value: UInt16) -> UInt32 {
    let digits = UInt32(value)
    let number =
      (digits >> 12) * 1000 + (digits >> 8 & 15) * 100 + (digits >> 4 & 15) * 10 + (digits & 15)
    return number == 0 ? 10000 : number
  }

  /// Only the low four digits of the number.
  static func encode(_ number: UInt32) -> UInt16 {
    let digits =
      (number / 1000 % 10) << 12 | (number / 100 % 10) << 8 | (number / 10 % 10) << 4
      | number % 10
    return UInt16(truncatingIfNeeded: digits)
  }
}
