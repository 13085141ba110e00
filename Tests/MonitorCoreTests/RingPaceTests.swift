// SPDX-License-Identifier: Apache-2.0
import Devices
import Testing

@testable import MonitorCore

/// The TSC has 1 GHz: a tick is a nanosecond.
@Suite("The PIT on the driver's timer")
struct RingPaceTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }

  func program(mode: UInt8, count: UInt16) {
    cpu.writePort(0x43, 0x30 | mode << 1)
    cpu.writePort(0x40, UInt8(truncatingIfNeeded: count))
    cpu.writePort(0x40, UInt8(count >> 8))
  }

  @Test("The driver is rung for when something changes for it")
  func rings() {
    program(mode: 2, count: 1193)
    #expect(machine.processor.doorbells == 1)
    #expect(cpu.vm.timer.sequence == 1)
    // Half of a count, and the counter latch command.
    cpu.writePort(0x40, 0xa9)
    cpu.writePort(0x43, 0)
    #expect(machine.processor.doorbells == 1)
  }

  @Test("A guest that programs it without end rings once in 200 microseconds")
  func pace() {
    let processor = machine.processor
    let start = processor.ticks
    for count in UInt16(1)...20 { program(mode: 0, count: count) }
    let rings = processor.doorbells
    #expect(rings >= 20)
    #expect(processor.ticks - start >= UInt64(rings - 1) * 200_000)
    // The last word is the driver's.
    #expect(cpu.vm.timer.sequence == UInt32(rings))
  }

  @Test("Rings of several vCPUs follow each other; a clock that went back is no reason to wait")
  func moments() {
    var pace = RingPace()
    #expect(pace.next(now: 1000, interval: 200) == 1000)
    #expect(pace.next(now: 1001, interval: 200) == 1200)
    #expect(pace.next(now: 1002, interval: 200) == 1400)
    #expect(pace.next(now: 1900, interval: 200) == 1900)
    #expect(pace.next(now: 1_000_000, interval: 200) == 1_000_000)
    #expect(pace.next(now: 6, interval: 200) == 6)
  }
}
