// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("The real-time clock")
struct RealTimeClockTests {
  /// 2024-12-31 23:59:58, a Tuesday.
  private let clock = RealTimeClock { 1_735_689_598 }

  private func register(_ index: UInt8) -> UInt8 {
    clock.write(0, index)
    return clock.read(1)
  }

  @Test("tells the time in packed decimal, as status B says")
  func time() {
    #expect(register(0x0b) == 0x02)
    #expect([0x00, 0x02, 0x04].map(register) == [0x58, 0x59, 0x23])
    #expect([0x06, 0x07, 0x08, 0x09, 0x32].map(register) == [3, 0x31, 0x12, 0x24, 0x20])
  }

  @Test("is never in the middle of an update, and its battery is good")
  func status() {
    #expect(register(0x0a) & 0x80 == 0)
    #expect(register(0x0d) == 0x80)
  }

  @Test("keeps bytes in its memory; the index's top bit is the NMI's")
  func memory() {
    clock.write(0, 0x40)
    clock.write(1, 0x77)
    #expect(register(0xc0) == 0x77)
    #expect(clock.read(0) == 0xff)
  }
}
