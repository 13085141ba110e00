// SPDX-License-Identifier: Apache-2.0
// How software gets at a counter through its port of eight bits.

/// What is left to be read of a latched count.
enum PITLatch: UInt8 {
  case none = 0
  case low = 1
  case high = 2
  case lowThenHigh = 3
  case highOfBoth = 4
}

extension PITChannel {
  /// The counter latch command; of no effect while a latched count was not read.
  mutating func latchCount(now: UInt64) {
    guard latch == .none else { return }
    settle(now: now)
    latchedCount = value(now: now)
    latch = PITLatch(rawValue: access.rawValue) ?? .none
  }

  /// The status part of the read-back command; of no effect while a latched status was not read.
  mutating func latchStatus(now: UInt64) {
    guard latchedStatus == nil else { return }
    settle(now: now)
    latchedStatus = status(now: now)
  }

  @inline(__always)
  mutating func readByte(now: UInt64) -> UInt8 {
    if let status = latchedStatus {
      latchedStatus = nil
      return status
    }
    switch latch {
    case .none: break
    case .low:
      latch = .none
      return UInt8(truncatingIfNeeded: latchedCount)
    case .lowThenHigh:
      latch = .highOfBoth
      return UInt8(truncatingIfNeeded: latchedCount)
    case .high, .highOfBoth:
      latch = .none
      return UInt8(truncatingIfNeeded: latchedCount >> 8)
    }
    settle(now: now)
    let value = value(now: now)
    let high = access == .high || access == .lowThenHigh && readsHighByte
    if access == .lowThenHigh { readsHighByte.toggle() }
    return UInt8(truncatingIfNeeded: high ? value >> 8 : value)
  }

  mutating func writeByte(_ byte: UInt8, now: UInt64) {
    switch access {
    case .low: load(UInt16(byte), now: now)
    case .high: load(UInt16(byte) << 8, now: now)
    case .lowThenHigh:
      guard let low = firstByteWritten else {
        firstByteWritten = byte
        // Mode 0: "Writing the first byte disables counting. OUT is set low immediately."
        if mode == 0 { stop() }
        return
      }
      firstByteWritten = nil
      load(UInt16(byte) << 8 | UInt16(low), now: now)
    }
  }
}
