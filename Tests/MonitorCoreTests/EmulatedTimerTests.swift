// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

/// TimerPolicy.preemption. SDM vol. 3, 11.5.4, at a rate of 4 TSC ticks for each of the timer's.
@Suite("A local APIC's timer that is a deadline of the monitor's")
struct EmulatedTimerTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }
  var unit: PretendedUnit { machine.unit }
  var processor: PretendedProcessor { machine.processor }
  static let ratio: UInt64 = 4

  init() {
    processor.leaves[1] = CPUIDRegisters(ecx: 1 << 24)
    cpu.cpuidTable[0] = kvm_cpuid_entry2(
      function: 1, index: 0, flags: 0, eax: 0, ebx: 0, ecx: 1 << 24, edx: 0, padding: (0, 0, 0))
    cpu.cpuidTable.index(count: 1)
    cpu.learnFeatures()
    #expect(cpu.setAPICBase(APICBase(rawValue: 0xfee0_0d00), by: .guest))
    unit.hasTimer = true
    processor.msrs[0x80f] = 0x1ff
    processor.msrs[0x832] = 0x1_0000
    processor.msrs[0x837] = 0x1_0000
    cpu.state.apicTimerRatio = Self.ratio << 20
    unit.flags.insert(.interruptEnable)
  }

  func choose(_ policy: apus_timer_policy) {
    #expect(cpu.chooseTimer(apus_timer_choice(policy: policy.rawValue, reserved: 0)) == 0)
  }
  func read(_ msr: UInt32) -> UInt64? { cpu.readMSR(MSR(rawValue: msr), by: .guest) }
  func write(_ msr: UInt32, _ value: UInt64) {
    #expect(cpu.writeMSR(MSR(rawValue: msr), value, by: .guest))
  }
  /// Enters the guest once more; what it is interrupted by then.
  func enter() -> [Event] {
    unit.delivered = []
    unit.steps = [{ _, _ in .preemptionTimer }, { _, _ in .cpuid }]
    #expect(cpu.runGuest() == 0)
    return unit.delivered
  }
  static let tick = [Event(kind: .external, vector: 0x40)]

  @Test(
    "The divider's three bits are not next to each other",
    arguments: [
      (0x0, 2), (0x1, 4), (0x2, 8), (0x3, 16), (0x8, 32), (0x9, 64), (0xa, 128), (0xb, 1),
    ] as [(UInt32, UInt64)])
  func divisor(bits: UInt32, expected: UInt64) {
    var apic = SoftwareAPIC()
    apic.timerDivide = bits
    #expect(apic.divisor == expected)
  }

  @Test("All of its registers exit")
  func intercepts() {
    choose(APUS_POLICY_PREEMPTION)
    for msr in [0x832, 0x838, 0x839, 0x83e, 0x6e0] as [UInt32] {
      #expect(unit.exits(msr) == (true, true), "\(msr)")
    }
    #expect(cpu.control.statistics.timer_mode == APUS_TIMER_PREEMPTION.rawValue)
  }

  @Test("Once: counts down to its deadline, rings there and not again")
  func once() {
    choose(APUS_POLICY_PREEMPTION)
    write(0x83e, 0x1)
    write(0x832, 0x40)
    processor.ticks = 10_000
    write(0x838, 1000)
    // 1000 * 4 * 4.
    #expect(unit.deadline == 26_000)
    #expect(read(0x839) == 1000)
    processor.ticks = 18_000
    #expect(read(0x839) == 500)
    #expect(enter() == [])
    processor.ticks = 26_000
    #expect(enter() == Self.tick)
    #expect(unit.deadline == nil)
    #expect(read(0x839) == 0)
    #expect(read(0x838) == 1000)
    write(0x80b, 0)
    processor.ticks = 90_000
    #expect(enter() == [])
  }

  @Test("Periodic: the next comes a period after the last, and what was missed is not made up for")
  func periodic() {
    choose(APUS_POLICY_PREEMPTION)
    write(0x83e, 0xb)
    write(0x832, 0x2_0040)
    processor.ticks = 0
    // A millisecond at 1 GHz.
    write(0x838, 250_000)
    processor.ticks = 1_000_100
    #expect(enter() == Self.tick)
    #expect(unit.deadline == 2_000_000)
    write(0x80b, 0)
    processor.ticks = 9_500_000
    #expect(enter() == Self.tick)
    #expect(unit.deadline == 10_500_000)
    write(0x80b, 0)
    write(0x838, 0)
    #expect(unit.deadline == nil)
  }

  @Test("A period that would leave the guest no time is longer")
  func shortPeriod() {
    choose(APUS_POLICY_PREEMPTION)
    write(0x83e, 0xb)
    write(0x832, 0x2_0040)
    processor.ticks = 0
    write(0x838, 10)
    processor.ticks = 100
    #expect(enter() == Self.tick)
    #expect(unit.deadline == 40 + 200_000)
  }

  @Test("TSC-deadline: rings at it, reads as 0 afterwards, and the counters are not there")
  func deadline() {
    choose(APUS_POLICY_PREEMPTION)
    write(0x832, 0x4_0040)
    processor.ticks = 10_000
    write(0x838, 500)
    #expect(read(0x838) == 0)
    write(0x6e0, 12_345)
    #expect(unit.deadline == 12_345)
    #expect(read(0x6e0) == 12_345)
    processor.ticks = 12_345
    #expect(enter() == Self.tick)
    #expect(read(0x6e0) == 0)
    write(0x80b, 0)
    // One that is past rings at once.
    write(0x6e0, 5)
    #expect(enter() == Self.tick)
    write(0x80b, 0)
    // Another mode stops it.
    write(0x6e0, 99_999)
    write(0x832, 0x40)
    #expect(unit.deadline == nil)
    write(0x6e0, 99_999)
    #expect(read(0x6e0) == 0)
  }

  @Test("A masked timer counts, and rings for nobody")
  func masked() {
    choose(APUS_POLICY_PREEMPTION)
    write(0x83e, 0xb)
    write(0x832, 0x1_0040)
    processor.ticks = 10_000
    write(0x838, 1000)
    processor.ticks = 20_000
    #expect(enter() == [])
    #expect(read(0x839) == 0)
  }

  @Test("The PIT and the local APIC share the processor's timer")
  func shared() {
    choose(APUS_POLICY_PREEMPTION)
    write(0x832, 0x4_0040)
    processor.ticks = 10_000
    write(0x6e0, 50_000)
    cpu.state.timerDeadline = 30_000
    cpu.armUnit()
    #expect(unit.deadline == 30_000)
    cpu.state.timerDeadline = nil
    cpu.armUnit()
    #expect(unit.deadline == 50_000)
  }

  @Test("An armed timer goes over from the real one, and back")
  func changes() {
    processor.ticks = 10_000
    processor.msrs[0x832] = 0x40
    processor.msrs[0x83e] = 0xb
    processor.msrs[0x838] = 5000
    processor.msrs[0x839] = 2000
    choose(APUS_POLICY_PREEMPTION)
    #expect(unit.deadline == 10_000 + 2000 * Self.ratio)
    #expect(processor.msrs[0x838] == 0)
    #expect(processor.msrs[0x832]! & 0x1_0000 != 0)
    processor.ticks = 14_000
    choose(APUS_POLICY_DIRECT)
    #expect(processor.msrs[0x838] == 1000)
    #expect(processor.msrs[0x832] == 0x40)
    #expect(unit.deadline == nil)
  }

  @Test("What rings between the two looks at the real timer is requested, once")
  func race() {
    processor.ticks = 10_000
    processor.msrs[0x832] = 0x4_0040
    processor.msrs[0x6e0] = 10_500
    // The clock moves on while the registers are read.
    let processor = processor
    processor.onTimestamp = { processor.ticks += 600 }
    choose(APUS_POLICY_PREEMPTION)
    processor.onTimestamp = {}
    #expect(unit.deadline == nil)
    processor.waiting = [0x40]
    processor.takeInterrupts()
    #expect(enter() == Self.tick)
    write(0x80b, 0)
    #expect(enter() == [])
  }
}
