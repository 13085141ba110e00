// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("Which accesses to the local APIC exit")
struct APICInterceptTests {
  let machine = PretendedMachine(cpus: 2)
  var unit: PretendedUnit { machine.unit }

  @Test("Outside x2APIC mode all of them do")
  func xAPIC() {
    #expect((0x800...0x83f).allSatisfy { unit.exits($0) == (true, true) })
  }

  @Test("In x2APIC mode EOI, task priority, timer count and self-interrupt are the guest's own")
  func direct() {
    enter()
    for msr in [0x808, 0x80b, 0x828, 0x838, 0x83e, 0x83f] as [UInt32] {
      #expect(!unit.exits(msr).writes, "\(msr)")
    }
    for msr in [0x808, 0x80a, 0x810, 0x827, 0x828, 0x832, 0x838, 0x839, 0x83e] as [UInt32] {
      #expect(!unit.exits(msr).reads, "\(msr)")
    }
  }

  @Test("What could reach beyond the guest always exits: commands, LVT entries, spurious vector")
  func guarded() {
    enter()
    for msr in [0x80f, 0x82f, 0x830, 0x832, 0x833, 0x834, 0x835, 0x836, 0x837] as [UInt32] {
      #expect(unit.exits(msr).writes, "\(msr)")
    }
    for msr in [0x802, 0x80d, 0x833, 0x834, 0x835, 0x836] as [UInt32] {
      #expect(unit.exits(msr).reads, "\(msr)")
    }
    #expect(unit.exits(0x1b) == (true, true))
  }

  @Test("EOI exits while a level-triggered interrupt is in service, and then no longer")
  func endOfInterrupt() {
    enter()
    machine.cpu.takeLevel(0x51)
    #expect(machine.processor.selfInterrupts == [0x51])
    #expect(unit.exits(0x80b).writes)
    // An edge of higher priority ends first.
    machine.processor.msrs[0x812] = 1 << 0x11
    machine.processor.msrs[0x816] = 1 << 0x1f
    #expect(machine.cpu.writeMSR(MSR(rawValue: 0x80b), 0, by: .guest))
    #expect(unit.exits(0x80b).writes)
    machine.processor.msrs[0x816] = 0
    #expect(machine.cpu.writeMSR(MSR(rawValue: 0x80b), 0, by: .guest))
    #expect(!unit.exits(0x80b).writes)
  }

  @Test("What the mode is can be seen in the statistics")
  func statistics() {
    #expect(machine.cpu.control.statistics.apic_mode == APUS_APIC_XAPIC.rawValue)
    enter()
    #expect(machine.cpu.control.statistics.apic_mode == APUS_APIC_X2APIC.rawValue)
    #expect(machine.cpu.control.statistics.timer_mode == APUS_TIMER_DIRECT.rawValue)
    #expect(machine.cpu.setAPICBase(APICBase(rawValue: 0xfee0_0100), by: .guest))
    #expect(machine.cpu.control.statistics.apic_mode == APUS_APIC_DISABLED.rawValue)
    #expect(unit.exits(0x80b).writes)
  }

  /// SDM vol. 3, figure 11-27, and table 11-5's bits.
  @Test("IA32_APIC_BASE goes through the modes in the order of a processor")
  func transitions() {
    func write(_ value: UInt64) -> Bool {
      machine.cpu.writeMSR(MSR(rawValue: 0x1b), value, by: .guest)
    }
    #expect(write(0xfee0_0d00), "xAPIC to x2APIC")
    #expect(!write(0xfee0_0900), "x2APIC to xAPIC")
    #expect(!write(0xfee0_0500), "x2APIC without enable")
    #expect(write(0xfee0_0100), "off")
    #expect(!write(0xfee0_0d00), "off to x2APIC")
    #expect(write(0xfee0_0900), "off to xAPIC")
    #expect(!write(0xfee0_0a00), "another place")
    #expect(!write(0xfee0_0901), "a reserved bit")
    #expect(!write(1 << 52 | 0xfee0_0900), "a reserved bit")
    #expect(machine.cpu.readMSR(MSR(rawValue: 0x1b)) == 0xfee0_0900)
    #expect(machine.cpu.setAPICBase(APICBase(rawValue: 0xfee0_0d00), by: .client))
    #expect(machine.cpu.setAPICBase(APICBase(rawValue: 0xfee0_0900), by: .client))
  }

  func enter() {
    #expect(machine.cpu.setAPICBase(APICBase(rawValue: 0xfee0_0d00), by: .guest))
  }
}
