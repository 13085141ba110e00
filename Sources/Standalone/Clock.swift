// SPDX-License-Identifier: Apache-2.0
import Entry
import StandaloneEntry

/// Time by the TSC, whose frequency is measured with the PIT's channel 2.
enum Clock {
  @safe private(set) nonisolated(unsafe) static var ticksPerMillisecond: UInt64 = 1

  /// Counts down 2 ms of the PIT's 1193182 Hz in mode 0; OUT is bit 5 of port 0x61.
  static func calibrate() {
    let count: UInt16 = 2386
    writePort8(0x61, readPort8(0x61) & ~2 | 1)
    writePort8(0x43, 0xb0)
    writePort8(0x42, UInt8(truncatingIfNeeded: count))
    writePort8(0x42, UInt8(count >> 8))
    let start = readTSC()
    while readPort8(0x61) & 0x20 == 0 {}
    ticksPerMillisecond = max((readTSC() - start) / 2, 1)
  }

  static var now: UInt64 { readTSC() }

  /// Milliseconds to wait for anything. QEMU's are those of a machine that others use too;
  /// Bochs' are exact, and take twice as long.
  private static var patience: UInt64 { hasVTX ? 200 : 3000 }
  private static var hasVTX: Bool { cpuid(1, 0).ecx & 1 << 5 != 0 }

  /// Waits until `condition` holds: false if it never does.
  static func wait(_ condition: () -> Bool) -> Bool {
    wait(microseconds: patience * 1000, condition)
  }

  /// The same within so many microseconds.
  static func wait(microseconds: UInt64, _ condition: () -> Bool) -> Bool {
    let deadline = now + microseconds * ticksPerMillisecond / 1000
    while !condition() {
      if now > deadline { return false }
      pause()
    }
    return true
  }

  /// Lets the others run for a number of steps that is the same in every run.
  static func idle(steps: Int) {
    for _ in 0..<steps { pause() }
  }
}
