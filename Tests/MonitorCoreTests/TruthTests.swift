// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("What a guest finds as on a processor")
struct TruthTests {
  let machine = PretendedMachine(cpus: 2)
  var cpu: PretendedMachine.CPU { machine.cpu }

  @Test("LINT0 of the bootstrap processor is open for the PICs from the start, and after INIT")
  func localInterrupt0() {
    #expect(cpu.readXAPIC(.lvtLINT0) == 0x700)
    #expect(machine.cpus[1].readXAPIC(.lvtLINT0) == 0x1_0000)
    cpu.writeXAPIC(.lvtLINT0, 0x1_0000)
    initialize()
    #expect(cpu.readXAPIC(.lvtLINT0) == 0x700)
    machine.cpu.pages.vm.pointee.disabled_quirks = UInt32(KVM_X86_QUIRK_LINT0_REENABLED)
    initialize()
    #expect(cpu.readXAPIC(.lvtLINT0) == 0x1_0000)
  }
  private func initialize() {
    cpu.machine.requests[0] = VCPURequest.initialize.rawValue
    cpu.control.requests = APUS_REQUEST_EXIT.rawValue
    #expect(cpu.runGuest() == -4)
  }

  @Test("An APIC that is switched off has no timer and nothing in service")
  func switchedOff() {
    cpu.takeLevel(0x51)
    let drains = machine.processor.drains
    #expect(cpu.setAPICBase(APICBase(rawValue: 0xfee0_0100), by: .guest))
    #expect(machine.processor.drains == drains + 1)
    #expect(cpu.state.levelVectors.isEmpty)
    // Once: it stays off.
    #expect(cpu.setAPICBase(APICBase(rawValue: 0xfee0_0100), by: .guest))
    #expect(machine.processor.drains == drains + 1)
  }

  @Test("The page of the APIC moves to where IA32_APIC_BASE says, below MAXPHYADDR")
  func relocatedAPIC() {
    #expect(cpu.setAPICBase(APICBase(rawValue: 0xfed4_0900), by: .guest))
    #expect(cpu.localDevice(at: 0xfed4_0020) == .localAPIC)
    #expect(cpu.localDevice(at: 0xfee0_0020) == nil)
    #expect(cpu.setAPICBase(APICBase(rawValue: 0xf_fed4_0900), by: .guest))
    for reserved in [0xfee0_0901, 0xfee0_0a00, 0x10_fee0_0900, 1 << 52 | 0xfee0_0900] as [UInt64] {
      #expect(!cpu.setAPICBase(APICBase(rawValue: reserved), by: .guest))
    }
    #expect(cpu.localDevice(at: 0xf_fed4_0000) == .localAPIC)
  }

  @Test(
    "A fault is pushed with RF, so that its instruction's breakpoint does not stop twice; nothing else is",
    arguments: [(13, true), (14, true), (6, true), (1, false), (3, false), (8, false)])
  func resumeFlag(vector: UInt8, isSet: Bool) throws {
    cpu.inject(try #require(ExceptionVector(rawValue: vector)))
    #expect(machine.unit.flags.contains(.resume) == isSet)
  }

  @Test("KVM_SET_SREGS takes the bits of CR4 that the processor has, and no others")
  func controlRegister4() {
    var registers = cpu.getSpecialRegisters()
    let protectionKeys: UInt64 = 1 << 22
    registers.cr4 = protectionKeys
    #expect(cpu.setSpecialRegisters(registers) == -22)
    machine.processor.leaves[7] = CPUIDRegisters(ecx: 1 << 3)
    cpu.learnFeatures()
    #expect(cpu.setSpecialRegisters(registers) == 0)
    for bit in [13, 14, 15, 19, 23, 24, 31, 40] {
      registers.cr4 = 1 << UInt64(bit)
      #expect(cpu.setSpecialRegisters(registers) == -22, "bit \(bit)")
    }
    registers.cr4 = 0x7ff
    #expect(cpu.setSpecialRegisters(registers) == 0)
  }
}
