// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("Interrupt controllers of the client's")
struct SplitControllersTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }
  var unit: PretendedUnit { machine.unit }
  private static let payload: UInt64 = IoctlTests.payload

  init() {
    cpu.vm.irqchip = 2
    cpu.vm.pit = 0
    #expect(cpu.setAPICBase(APICBase(rawValue: 0xfee0_0d00), by: .client))
  }

  private func inject(_ vector: UInt32) -> Int64 {
    machine.memory[Self.payload, as: UInt32.self] = vector
    return cpu.perform(0x4004_ae86, size: 4)
  }

  @Test("PICs and I/O APIC are the client's, the local APIC is not")
  func devices() {
    #expect(cpu.localPort(0x20) == nil)
    #expect(cpu.localPort(0x4d0) == nil)
    #expect(cpu.localDevice(at: 0xfec0_0000) == nil)
    #expect(cpu.setAPICBase(APICBase(rawValue: 0xfee0_0900), by: .client))
    #expect(cpu.localDevice(at: 0xfee0_0000) == .localAPIC)
    #expect(!cpu.unit.haltExiting)
  }

  @Test("The client hears of the EOI of a level, once, and of no edge's")
  func levels() {
    unsafe cpu.pages.control.pointee.level_vectors.1 = 1 << (0x51 - 64)
    unsafe cpu.pages.control.pointee.requests = APUS_REQUEST_LEVELS.rawValue
    // In service: word 2, bit 0x11.
    unit.steps = [
      { [machine] unit, registers in
        #expect(unit.exits(0x80b).writes)
        #expect(machine.processor.selfInterrupts == [0x51])
        machine.processor.msrs[0x812] = 1 << 0x11
        registers.rcx = 0x80b
        registers.edxEAX = 0
        return .writeMSR
      }
    ]
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.exit_reason == 26, "KVM_EXIT_IOAPIC_EOI")
    #expect(cpu.run.eoi.vector == 0x51)
    #expect(!unit.exits(0x80b).writes)
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.exit_reason == 5, "the guest's HLT, as the pretended one ends")
  }

  @Test("KVM_INTERRUPT is the next thing that the guest sees, and waits for its turn")
  func interrupt() {
    unit.flags.insert(.interruptEnable)
    #expect(inject(0x34) == 0)
    #expect(inject(0x35) == -17)
    #expect(cpu.runGuest() == 0)
    #expect(unit.delivered == [Event(kind: .external, vector: 0x34)])
    #expect(inject(256) == -22)
  }

  @Test("The client is told when the guest takes interrupts, if it asks")
  func window() {
    cpu.state.apic.lint0 = 0x700
    cpu.run.request_interrupt_window = 1
    unit.flags.remove(.interruptEnable)
    unit.steps = [
      { unit, _ in
        #expect(unit.interruptWindowExiting)
        unit.flags.insert(.interruptEnable)
        return .interruptWindow
      }
    ]
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.exit_reason == 7, "KVM_EXIT_IRQ_WINDOW_OPEN")
    #expect(cpu.run.ready_for_interrupt_injection == 1)
    cpu.run.request_interrupt_window = 0
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.exit_reason == 5)
    #expect(!unit.interruptWindowExiting)
  }

  @Test("KVM_INTERRUPT is refused where the monitor has the PICs")
  func refused() {
    cpu.vm.irqchip = 1
    #expect(inject(0x34) == -6)
    cpu.vm.irqchip = 0
    #expect(inject(0x34) == -22)
  }
}
