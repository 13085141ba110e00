// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("A guest's time-stamp counter")
struct TimeStampCounterTests {
  /// 1 GHz.
  let machine = PretendedMachine(cpus: 2)
  var cpu: PretendedMachine.CPU { machine.cpu }
  var unit: PretendedUnit { machine.unit }
  var processor: PretendedProcessor { machine.processor }
  static let timestamp = MSR(rawValue: 0x10)
  static let adjust = MSR(rawValue: 0x3b)
  static let deadline = MSR(rawValue: 0x6e0)

  init() {
    for processor in machine.processors {
      processor.ticks = 50_000_000_000
      processor.leaves[1] = CPUIDRegisters(ecx: 1 << 24)
    }
    for cpu in machine.cpus {
      cpu.cpuidTable[0] = kvm_cpuid_entry2(
        function: 1, index: 0, flags: 0, eax: 0, ebx: 0, ecx: 1 << 24, edx: 0, padding: (0, 0, 0))
      cpu.cpuidTable.index(count: 1)
      cpu.learnFeatures()
      #expect(cpu.setAPICBase(APICBase(rawValue: 0xfee0_0d00), by: .guest))
    }
  }

  func set(_ msr: MSR, _ value: UInt64, by writer: Writer, on number: Int = 0) {
    #expect(machine.cpus[number].writeMSR(msr, value, by: writer))
  }
  func get(_ msr: MSR, by reader: Writer = .guest) -> UInt64? { cpu.readMSR(msr, by: reader) }

  @Test("Is the host's where nobody has set it, and its deadline does not exit")
  func own() {
    #expect(get(Self.timestamp) == 50_000_000_000)
    #expect(unit.tscOffset == 0)
    #expect(unit.exits(0x6e0) == (false, false))
    #expect(cpu.control.statistics.timer_mode == APUS_TIMER_DIRECT.rawValue)
  }

  @Test("A client that starts a vCPU writes 0, which asks for the VM's own")
  func zero() {
    set(Self.timestamp, 0, by: .client)
    #expect(unit.tscOffset == 0)
    set(Self.timestamp, 7_000_000_000_000, by: .client)
    set(Self.timestamp, 0, by: .client, on: 1)
    #expect(machine.units[1].tscOffset == unit.tscOffset)
  }

  @Test("A client's value is the guest's from then on; a second is near enough to be the same")
  func client() {
    set(Self.timestamp, 7_000_000_000_000, by: .client)
    #expect(get(Self.timestamp) == 7_000_000_000_000)
    processor.ticks += 5
    #expect(get(Self.timestamp, by: .client) == 7_000_000_000_005)
    // Half a second later, as a migration sets one vCPU after the other.
    machine.processors[1].ticks += 500_000_000
    set(Self.timestamp, 7_000_000_000_000, by: .client, on: 1)
    #expect(machine.units[1].tscOffset == unit.tscOffset)
    machine.processors[1].ticks += 600_000_000
    set(Self.timestamp, 7_000_000_000_000, by: .client, on: 1)
    #expect(machine.units[1].tscOffset != unit.tscOffset)
  }

  @Test("The guest's own write is in IA32_TSC_ADJUST, and the other way round")
  func guest() {
    set(Self.timestamp, 50_000_001_000, by: .guest)
    #expect(get(Self.timestamp) == 50_000_001_000)
    #expect(get(Self.adjust) == 1000)
    set(Self.adjust, 400, by: .guest)
    #expect(get(Self.timestamp) == 50_000_000_400)
    set(Self.adjust, 0, by: .guest)
    #expect(unit.tscOffset == 0)
    set(Self.adjust, 77, by: .client)
    #expect(get(Self.adjust) == 77)
    #expect(unit.tscOffset == 0, "a client puts back what it has read")
  }

  @Test("With an offset a deadline exits, and is one of the guest's TSC")
  func deadlines() {
    set(Self.timestamp, 60_000_000_000, by: .client)
    #expect(unit.exits(0x6e0) == (true, true))
    #expect(cpu.control.statistics.timer_mode == APUS_TIMER_CONVERTED.rawValue)
    set(Self.deadline, 60_000_000_500, by: .guest)
    #expect(processor.msrs[0x6e0] == 50_000_000_500)
    #expect(get(Self.deadline) == 60_000_000_500)
    // What is past is not 0, which would stop the timer.
    set(Self.deadline, 1, by: .guest)
    #expect(processor.msrs[0x6e0] == 1)
    set(Self.deadline, .max, by: .guest)
    #expect(processor.msrs[0x6e0] == UInt64.max - 10_000_000_000)
    set(Self.deadline, 0, by: .guest)
    #expect(processor.msrs[0x6e0] == 0)
    #expect(get(Self.deadline) == 0)
  }

  @Test("A TSC behind the host's has deadlines beyond the end of that")
  func behind() {
    set(Self.timestamp, 10_000_000_000, by: .client)
    set(Self.deadline, 10_000_000_500, by: .guest)
    #expect(processor.msrs[0x6e0] == 50_000_000_500)
    set(Self.deadline, .max, by: .guest)
    #expect(processor.msrs[0x6e0] == .max)
  }

  @Test("A deadline that is armed follows the TSC")
  func armed() {
    set(Self.deadline, 50_000_000_900, by: .guest)
    set(Self.timestamp, 50_000_000_400, by: .guest)
    #expect(processor.msrs[0x6e0] == 50_000_000_500)
    #expect(get(Self.deadline) == 50_000_000_900)
  }

  @Test("KVM_VCPU_TSC_OFFSET is the offset itself")
  func attribute() {
    #expect(cpu.setTSCOffsetAttribute(0 &- 1000) == 0)
    #expect(get(Self.timestamp) == 50_000_000_000 - 1000)
    set(Self.timestamp, 0, by: .client, on: 1)
    #expect(machine.units[1].tscOffset == 0 &- 1000)
    #expect(cpu.setTSCOffsetAttribute(0) == 0)
    #expect(unit.exits(0x6e0) == (false, false))
  }

  /// struct pvclock_vcpu_time_info: tsc_timestamp is at offset 8.
  @Test("kvmclock counts from the same moment")
  func clock() {
    machine.publish([.init(address: 0, size: 1 << 21, physical: PretendedMachine.guestPhysical)])
    cpu.followSlots()
    cpu.vm.clock_tsc = 40_000_000_000
    set(MSR(rawValue: 0x4b56_4d01), 0x3001, by: .guest)
    let place = PretendedMachine.guestPhysical + 0x3008
    #expect(machine.memory[place, as: UInt64.self] == 40_000_000_000)
    set(Self.timestamp, 60_000_000_000, by: .client)
    #expect(machine.memory[place, as: UInt64.self] == 50_000_000_000)
  }
}
