// SPDX-License-Identifier: Apache-2.0
// One counter of an 8254, computed from the time at which it was loaded instead of counted down.

/// A counter (8254 datasheet, order number 231164). Times are in ticks of its clock.
///
/// "CR" is the count register that software writes, "CE" the counting element that is loaded from
/// it. The clock is the PIT's own; nothing happens between two ticks.
struct PITChannel {
  enum Phase: UInt8 {
    /// A mode was set and no count was written since, or only the first half of one in mode 0.
    case idle
    /// Modes 1 and 5: the gate has not risen since.
    case armed
    case counting
    /// The gate is low: modes 0, 2, 3 and 4.
    case paused
  }

  /// Which bytes of a count are read and written: bits 5 and 4 of the control word.
  enum Access: UInt8 {
    case low = 1
    case high = 2
    case lowThenHigh = 3
  }

  /// Bits 3 to 1 of the control word as written; 6 and 7 are 2 and 3 again.
  var programmedMode: UInt8 = 0
  var access = Access.lowThenHigh
  var isBCD = false
  var gate: Bool
  var phase = Phase.idle
  /// CR: 1 to 65536, or 1 to 10000 in BCD.
  var register: UInt32 = 0x10000
  /// What CE started from.
  var count: UInt32 = 0x10000
  /// When CE was loaded with `count`.
  var start: UInt64 = 0
  /// When CR goes to CE. Until then the status has the null count flag; `UInt64.max`: not known.
  var loadTime = UInt64.max
  /// Ticks that had passed when the gate fell.
  var pausedAfter: UInt64 = 0
  // What software is in the middle of: see PITChannelAccess.swift.
  var firstByteWritten: UInt8?
  var readsHighByte = false
  var latchedCount: UInt16 = 0
  var latch = PITLatch.none
  var latchedStatus: UInt8?

  init(gate: Bool) { self.gate = gate }

  var mode: UInt8 { programmedMode > 5 ? programmedMode &- 4 : programmedMode }
  var isPeriodic: Bool { mode == 2 || mode == 3 }
  private var isTriggeredByGate: Bool { mode == 1 || mode == 5 }

  /// A new mode: the counter waits for a count.
  mutating func configure(mode: UInt8, access: Access, isBCD: Bool) {
    programmedMode = mode & 7
    self.access = access
    self.isBCD = isBCD
    stop()
    firstByteWritten = nil
    readsHighByte = false
    latch = .none
    latchedStatus = nil
  }

  mutating func stop() {
    phase = .idle
    loadTime = .max
    pausedAfter = 0
  }

  /// A count was written in full; 0 stands for the largest.
  mutating func load(_ value: UInt16, now: UInt64) {
    load(count: isBCD ? BCD.decode(value) : value == 0 ? 0x10000 : UInt32(value), now: now)
  }

  mutating func load(count: UInt32, now: UInt64) {
    settle(now: now)
    register = max(1, min(count, isBCD ? 10000 : 0x10000))
    if isTriggeredByGate {
      if phase == .idle { phase = .armed }
      loadTime = .max
    } else if isPeriodic && phase == .counting {
      // "The new count is loaded at the end of the current counting cycle." In mode 3 the datasheet
      // says half-cycle; one rule is enough for a square wave that only a loudspeaker hears.
      let period = UInt64(self.count)
      loadTime = start &+ (elapsed(now: now) / period &+ 1) &* period
    } else {
      begin(now: now)
    }
  }

  /// The gate input; only channel 2 has one (port 0x61, bit 0).
  mutating func setGate(_ level: Bool, now: UInt64) {
    settle(now: now)
    let changed = level != gate
    gate = level
    guard changed, phase != .idle else { return }
    if isTriggeredByGate {
      if level { begin(now: now) }
    } else if level {
      if isPeriodic {
        begin(now: now)
      } else {
        phase = .counting
        start = now &- pausedAfter
      }
    } else {
      pausedAfter = elapsed(now: now)
      phase = .paused
    }
  }

  /// CR goes to CE at the next tick.
  private mutating func begin(now: UInt64) {
    count = register
    loadTime = now &+ 1
    start = loadTime
    pausedAfter = 0
    phase = gate || isTriggeredByGate ? .counting : .paused
  }

  /// Lets a count that waited for the end of a cycle take effect.
  @inline(__always)
  mutating func settle(now: UInt64) {
    guard isPeriodic, phase == .counting, loadTime != start, now >= loadTime else { return }
    count = register
    start = loadTime
  }

  /// Ticks since CE was loaded. A time before that, or a clock that went back, is 0.
  @inline(__always)
  mutating func elapsed(now: UInt64) -> UInt64 {
    switch phase {
    case .idle, .armed: 0
    case .paused: pausedAfter
    case .counting: now >= start ? now &- start : 0
    }
  }
}
