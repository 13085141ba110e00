// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

/// linux arch/x86/include/asm/pvclock-abi.h.
@Suite("The paravirtual clock")
struct ClockTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }
  static let ram = PretendedMachine.guestPhysical

  init() {
    machine.publish([.init(address: 0, size: 0x4000, physical: Self.ram)])
    cpu.followSlots()
  }

  func publish(_ msr: UInt32, _ value: UInt64) -> Bool {
    cpu.writeMSR(MSR(rawValue: msr), value, by: .guest)
  }
  func word(_ address: UInt64) -> UInt32 { machine.memory[Self.ram + address, as: UInt32.self] }
  func long(_ address: UInt64) -> UInt64 { machine.memory[Self.ram + address, as: UInt64.self] }

  /// ((ticks << shift) * multiplier) >> 32, as a guest computes it.
  @Test(
    "A second of ticks is a second",
    arguments: [1, 32_768, 999_999, 1_000_000, 1_000_001, 2_495_000, 3_600_123, 7_000_000]
      as [UInt32])
  func rate(khz: UInt32) {
    cpu.vm.tsc_khz = khz
    #expect(publish(0x4b56_4d01, 0x1001))
    let shift = Int8(bitPattern: UInt8(truncatingIfNeeded: word(0x101c)))
    let ticks = UInt64(khz) * 1000
    let shifted = shift >= 0 ? ticks << UInt64(shift) : ticks >> UInt64(-shift)
    let product = shifted.multipliedFullWidth(by: UInt64(word(0x1018)))
    let nanoseconds = product.high << 32 | product.low >> 32
    // One part in a billion or better.
    #expect(nanoseconds.distance(to: 1_000_000_000).magnitude <= 2, "\(nanoseconds)")
  }

  @Test("The structure has an even version, the TSC at its zero, and says that it is stable")
  func layout() {
    cpu.vm.clock_tsc = 0x1122_3344_5566_7788
    #expect(publish(0x4b56_4d01, 0x1001))
    let version = word(0x1000)
    #expect(version != 0 && version & 1 == 0)
    #expect(long(0x1008) == 0x1122_3344_5566_7788)
    #expect(long(0x1010) == 0)
    #expect(machine.memory[Self.ram + 0x101d, as: UInt8.self] == 1)
    #expect(publish(0x12, 0x1001))
    #expect(word(0x1000) == version + 2)
  }

  @Test("Without its enable bit nothing is written")
  func disabled() {
    #expect(publish(0x4b56_4d01, 0x1000))
    #expect(long(0x1008) == 0 && word(0x1000) == 0)
    #expect(cpu.readMSR(MSR(rawValue: 0x4b56_4d01)) == 0x1000)
  }

  @Test(
    "An address that is not memory, or only half, is written as far as it goes",
    arguments: [0x3ff1, 0x7001, 0xffff_ffff_ffff_fff1, 0x8000_0000_0000_0001] as [UInt64])
  func anywhere(value: UInt64) {
    #expect(publish(0x4b56_4d01, value))
    #expect(publish(0x4b56_4d00, value))
  }

  @Test("The wall clock is seconds and nanoseconds behind an even version")
  func wallClock() {
    cpu.vm.wall_seconds = 1_700_000_000
    cpu.vm.wall_nanoseconds = 123
    #expect(publish(0x4b56_4d00, 0x2000))
    #expect([word(0x2000), word(0x2004), word(0x2008)] == [2, 1_700_000_000, 123])
  }

  @Test("Products of 128 bits lose nothing")
  func scale() {
    typealias CPU = PretendedMachine.CPU
    #expect(CPU.scale(1 << 40, by: 1 << 40, shift: 32) == 1 << 48)
    #expect(CPU.scale(.max, by: 3, shift: 2) == 0xbfff_ffff_ffff_ffff)
  }
}
