// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The clock at ports 0x70 and 0x71 (Motorola MC146818 datasheet): time of day, no interrupts.
final class RealTimeClock: ByteDevice {
  private struct State {
    var index: UInt8 = 0
    var memory = [UInt8](repeating: 0, count: 128)
  }

  private enum Register {
    static let statusA: UInt8 = 0x0a
    static let statusB: UInt8 = 0x0b
    static let statusC: UInt8 = 0x0c
    static let statusD: UInt8 = 0x0d
    static let century: UInt8 = 0x32
  }

  private let state = Mutex(State())
  /// Seconds since 1970, UTC.
  private let now: @Sendable () -> Int

  init(now: @escaping @Sendable () -> Int) { self.now = now }

  func read(_ port: Int) -> UInt8 {
    state.withLock { state in
      guard port == 1 else { return 0xff }  // the index cannot be read
      let time = CalendarTime(secondsSince1970: now())
      switch state.index {
      case 0x00: return Self.bcd(time.second)
      case 0x02: return Self.bcd(time.minute)
      case 0x04: return Self.bcd(time.hour)
      case 0x06: return UInt8(time.weekday)
      case 0x07: return Self.bcd(time.day)
      case 0x08: return Self.bcd(time.month)
      case 0x09: return Self.bcd(time.year % 100)
      case Register.century: return Self.bcd(time.year / 100)
      case Register.statusA: return 0x26  // 32,768 Hz; never in the middle of an update
      case Register.statusB: return 0x02  // 24 hours, BCD
      case Register.statusC: return 0x00
      case Register.statusD: return 0x80  // the battery is good
      default: return state.memory[Int(state.index)]
      }
    }
  }

  func write(_ port: Int, _ value: UInt8) {
    state.withLock { state in
      if port == 0 {
        state.index = value & 0x7f  // bit 7 disables NMIs
      } else {
        state.memory[Int(state.index)] = value
      }
    }
  }

  private static func bcd(_ value: Int) -> UInt8 { UInt8((value / 10) << 4 | value % 10) }
}
