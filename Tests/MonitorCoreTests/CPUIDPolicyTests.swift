// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("CPUID as the guest sees it")
struct CPUIDPolicyTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }

  /// Leaves of the client: function, index (nil: not significant), EAX to EDX.
  func offer(_ leaves: [(UInt32, UInt32?, [UInt32])]) {
    for (place, leaf) in leaves.enumerated() {
      cpu.cpuidTable[place] = kvm_cpuid_entry2(
        function: leaf.0, index: leaf.1 ?? 0, flags: leaf.1 == nil ? 0 : 1, eax: leaf.2[0],
        ebx: leaf.2[1], ecx: leaf.2[2], edx: leaf.2[3], padding: (0, 0, 0))
    }
    cpu.cpuidTable.index(count: leaves.count)
  }
  static let intel: (UInt32, UInt32?, [UInt32]) = (
    0, nil, [7, 0x756e_6547, 0x6c65_746e, 0x4965_6e69]
  )
  static let amd: (UInt32, UInt32?, [UInt32]) = (
    0, nil, [7, 0x6874_7541, 0x444d_4163, 0x6974_6e65]
  )

  @Test("Before the client has said anything every leaf is zero")
  func nothing() {
    #expect(cpu.cpuid(0, 0) == CPUIDRegisters())
    #expect(cpu.cpuid(0x4000_0000, 0) == CPUIDRegisters())
  }

  @Test("A leaf is the client's, its index where that is significant")
  func leaves() {
    offer([Self.amd, (4, 0, [1, 2, 3, 4]), (4, 1, [5, 6, 7, 8]), (6, nil, [9, 9, 9, 9])])
    #expect(cpu.cpuid(4, 1) == CPUIDRegisters(eax: 5, ebx: 6, ecx: 7, edx: 8))
    #expect(cpu.cpuid(4, 2) == CPUIDRegisters())
    #expect(cpu.cpuid(6, 77) == CPUIDRegisters(eax: 9, ebx: 9, ecx: 9, edx: 9))
  }

  @Test("Above the highest leaf Intel answers with the highest basic one, AMD with zeros")
  func range() {
    let highest: (UInt32, UInt32?, [UInt32]) = (7, nil, [1, 2, 3, 4])
    let extended: (UInt32, UInt32?, [UInt32]) = (0x8000_0000, nil, [0x8000_0008, 0, 0, 0])
    offer([Self.intel, highest, extended])
    #expect(cpu.cpuid(8, 0).edx == 4)
    #expect(cpu.cpuid(0x8000_0009, 0).edx == 4)
    #expect(cpu.cpuid(5, 0) == CPUIDRegisters(), "a gap is not above")
    #expect(cpu.cpuid(0x8000_0005, 0) == CPUIDRegisters())
    #expect(cpu.cpuid(0x4000_0001, 0) == CPUIDRegisters())
    offer([Self.amd, highest, extended])
    #expect(cpu.cpuid(8, 0) == CPUIDRegisters())
    #expect(cpu.cpuid(0x8000_0009, 0) == CPUIDRegisters())
  }

  @Test("OSXSAVE follows CR4, and the APIC's bit its enable")
  func changing() {
    offer([Self.amd, (1, nil, [0, 0, 1 << 27 | 1 << 26, 1 << 9 | 1])])
    #expect(cpu.cpuid(1, 0).ecx == 1 << 26)
    machine.unit.cr4 = 1 << 18
    #expect(cpu.cpuid(1, 0).ecx == 1 << 27 | 1 << 26)
    #expect(cpu.cpuid(1, 0).edx == 1 << 9 | 1)
    #expect(cpu.setAPICBase(APICBase(rawValue: 0xfee0_0100), by: .guest))
    #expect(cpu.cpuid(1, 0).edx == 1)
  }

  @Test("The size of the enabled state is the processor's answer, if the leaf is offered")
  func extendedState() {
    machine.processor.leaves[0xd] = CPUIDRegisters(eax: 7, ebx: 832, ecx: 832)
    offer([Self.amd])
    #expect(cpu.cpuid(0xd, 0) == CPUIDRegisters())
    offer([Self.amd, (0xd, 0, [7, 576, 832, 0])])
    #expect(cpu.cpuid(0xd, 0) == CPUIDRegisters(eax: 7, ebx: 832, ecx: 832))
  }

  @Test("The instruction answers in four registers, their upper halves clear")
  func instruction() {
    offer([Self.amd])
    machine.unit.instructionPointer = 0x1000
    machine.unit.exitInstructionLength = 2
    machine.unit.steps = [
      { _, registers in
        registers.rax = 0xffff_ffff_0000_0000
        registers.rcx = 0xffff_ffff_0000_0000
        registers.rbx = .max
        return .cpuid
      }
    ]
    #expect(cpu.runGuest() == 0)
    #expect(cpu.state.registers.rax == 7)
    #expect(cpu.state.registers.rbx == 0x6874_7541)
    #expect(cpu.state.registers.rdx == 0x6974_6e65)
    #expect(cpu.control.statistics.exits.2 == 1)
  }
}
