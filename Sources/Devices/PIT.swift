// SPDX-License-Identifier: Apache-2.0
// The programmable interval timer with the system control port that belongs to it.

/// When an interrupt of the PIT is due.
public struct PITTimer: Equatable, Sendable {
  /// The first rising edge of IRQ 0 after the programming that `PIT.channel0Changes` counted, in
  /// ticks of the caller's clock. It may be in the past by now.
  public var first: UInt64
  /// Ticks from one edge to the next; 0: there is only one.
  public var period: UInt64
}

/// An 8254 at ports 0x40 to 0x43 and port 0x61 (channel 2's gate and output, speaker, refresh).
///
/// Time is given by the caller: `now` counts ticks of `PIT.frequency` from any beginning.
/// Everything is computed from it when software looks; the caller arms a timer for channel 0.
public struct PIT {
  /// Ticks per second: 14.31818 MHz / 12.
  public static let frequency: UInt64 = 1_193_182
  /// DRAM refresh on the PC: channel 1 counts 18, and port 0x61 bit 4 toggles at each.
  private static let refreshPeriod: UInt64 = 18

  var first = PITChannel(gate: true)
  var second = PITChannel(gate: true)
  var third = PITChannel(gate: false)
  var speaker = false

  /// Increases, with wrap-around, whenever `channel0` may have changed: the caller arms its timer
  /// again.
  public internal(set) var channel0Changes: UInt32 = 0

  /// As after a reset: no channel counts.
  public init() {}

  /// The timer to be armed for IRQ 0; nil: none.
  // Inline, and the channel's too: a call would copy the PIT first.
  @inline(__always) public var channel0: PITTimer? { first.timer }

  /// Reads port 0x40 to 0x43 or 0x61; 0xff for any other.
  public mutating func read(port: UInt16, now: UInt64) -> UInt8 {
    switch port {
    case 0x40: return first.readByte(now: now)
    case 0x41: return second.readByte(now: now)
    case 0x42: return third.readByte(now: now)
    case 0x61:
      third.settle(now: now)
      return (third.gate ? 0x01 : 0) | (speaker ? 0x02 : 0)
        | (now / Self.refreshPeriod & 1 != 0 ? 0x10 : 0) | (third.output(now: now) ? 0x20 : 0)
    default: return 0xff  // 0x43 cannot be read
    }
  }

  /// Writes port 0x40 to 0x43 or 0x61; any other is ignored.
  public mutating func write(port: UInt16, _ value: UInt8, now: UInt64) {
    switch port {
    case 0x40:
      first.writeByte(value, now: now)
      channel0Changes &+= 1
    case 0x41: second.writeByte(value, now: now)
    case 0x42: third.writeByte(value, now: now)
    case 0x43: writeControl(value, now: now)
    case 0x61:
      speaker = value & 0x02 != 0
      third.setGate(value & 0x01 != 0, now: now)
    default: break
    }
  }

  private mutating func writeControl(_ value: UInt8, now: UInt64) {
    switch value >> 6 {
    case 0:
      Self.control(&first, value, now: now)
      if value & 0x30 != 0 { channel0Changes &+= 1 }
    case 1: Self.control(&second, value, now: now)
    case 2: Self.control(&third, value, now: now)
    default:
      if value & 0x02 != 0 { Self.readBack(&first, value, now: now) }
      if value & 0x04 != 0 { Self.readBack(&second, value, now: now) }
      if value & 0x08 != 0 { Self.readBack(&third, value, now: now) }
    }
  }

  /// A control word or, with access bits 0, the counter latch command.
  private static func control(_ channel: inout PITChannel, _ value: UInt8, now: UInt64) {
    if let access = PITChannel.Access(rawValue: value >> 4 & 3) {
      channel.configure(mode: value >> 1 & 7, access: access, isBCD: value & 1 != 0)
    } else {
      channel.latchCount(now: now)
    }
  }

  /// The read-back command: bits 5 and 4 are active low.
  private static func readBack(_ channel: inout PITChannel, _ value: UInt8, now: UInt64) {
    if value & 0x20 == 0 { channel.latchCount(now: now) }
    if value & 0x10 == 0 { channel.latchStatus(now: now) }
  }
}
