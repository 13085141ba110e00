// SPDX-License-Identifier: Apache-2.0
import Devices
import Testing

@testable import MonitorCore

/// The TSC has 1 GHz: a tick is a nanosecond.
@Suite("The PIT on the processor's own timer")
struct MonitorTimerTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }

  /// Channel 0 counts `count` in this mode.
  private func start(mode: UInt8, count: UInt16) {
    machine.unit.hasTimer = true
    let now = cpu.pitNow
    cpu.withMachine { machine in
      machine.pit.write(port: 0x43, 0x30 | mode << 1, now: now)
      machine.pit.write(port: 0x40, UInt8(truncatingIfNeeded: count), now: now)
      machine.pit.write(port: 0x40, UInt8(count >> 8), now: now)
    }
    cpu.publishTimer()
    cpu.armTimer()
  }

  /// Lets time pass to the deadline and so much longer.
  private func ring(late: UInt64 = 0) throws -> UInt64 {
    let deadline = try #require(machine.unit.deadline)
    machine.processor.ticks = deadline + late
    cpu.timerRang()
    return deadline
  }

  @Test("A rate generator rings at its period")
  func periodic() throws {
    start(mode: 2, count: 1193)
    let first = try ring()
    let second = try #require(machine.unit.deadline)
    // 1193 / 1193182 Hz = 999.847 µs.
    #expect((999_840...999_850).contains(second - first))
  }

  @Test("A period that would leave the guest no time is made 200 µs", arguments: [2, 20, 200])
  func shortest(count: UInt16) throws {
    start(mode: 2, count: count)
    let first = try ring()
    #expect(machine.unit.deadline == first + 200_000)
    let second = try ring()
    #expect(machine.unit.deadline == second + 200_000)
  }

  @Test("A timer that rings once does so, however soon")
  func once() throws {
    start(mode: 0, count: 5)
    let now = machine.processor.ticks
    let deadline = try ring()
    #expect(deadline - now < 10_000)
    #expect(machine.unit.deadline == nil)
  }

  @Test("Periods that were missed are not made up for, and the guest has time before the next")
  func missed() throws {
    start(mode: 2, count: 1193)
    _ = try ring(late: 5_000_000)
    #expect(machine.unit.deadline == machine.processor.ticks + 100_000)
  }
}
