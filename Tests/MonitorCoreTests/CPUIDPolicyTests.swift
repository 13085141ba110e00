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
    #expect(cpu.cpuid(0xd, 0) == CPUIDRegisters(eax: 7, ebx: 832, ecx: 576))
  }

  /// Leaf 0xD of a processor: the components above SSE as number, size, place and whether the
  /// compacted format aligns them.
  struct RealProcessor: CustomTestStringConvertible {
    let testDescription: String
    let components: [(number: UInt32, size: UInt32, place: UInt32, isAligned: Bool)]
    /// With all of them on.
    let standard: UInt32
    let compacted: UInt32
  }
  static let avx: (number: UInt32, size: UInt32, place: UInt32, isAligned: Bool) =
    (2, 256, 576, false)
  static let processors: [RealProcessor] = [
    RealProcessor(testDescription: "Westmere", components: [], standard: 576, compacted: 576),
    RealProcessor(testDescription: "Ivy Bridge", components: [avx], standard: 832, compacted: 832),
    RealProcessor(testDescription: "Haswell", components: [avx], standard: 832, compacted: 832),
    RealProcessor(
      testDescription: "Skylake client", components: [avx], standard: 832, compacted: 832),
    RealProcessor(
      testDescription: "Skylake server",
      components: [avx, (5, 64, 1088, false), (6, 512, 1152, false), (7, 1024, 1664, false)],
      standard: 2688, compacted: 2432),
    RealProcessor(
      testDescription: "Ice Lake server",
      components: [avx, (5, 64, 1088, false), (6, 512, 1152, false), (7, 1024, 1664, false)],
      standard: 2688, compacted: 2432),
    RealProcessor(
      testDescription: "Sapphire Rapids",
      components: [avx, (5, 64, 1088, false), (6, 512, 1152, false), (7, 1024, 1664, false)],
      standard: 2688, compacted: 2432),
    RealProcessor(testDescription: "Zen 1", components: [avx], standard: 832, compacted: 832),
    RealProcessor(testDescription: "Zen 3", components: [avx], standard: 832, compacted: 832),
    RealProcessor(
      testDescription: "Zen 4",
      components: [avx, (5, 64, 832, false), (6, 512, 896, false), (7, 1024, 1408, false)],
      standard: 2432, compacted: 2432),
    RealProcessor(
      testDescription: "one that aligns",
      components: [avx, (5, 40, 832, false), (6, 512, 960, true)],
      standard: 1472, compacted: 1408),
  ]

  /// As Linux 6.1 does (arch/x86/kernel/fpu/xstate.c: get_compacted_size(), paranoid_xstate_size_valid()):
  /// it gives up XSAVE where the sizes do not agree with the components.
  @Test("Leaf 0xD agrees with itself as Linux wants it", arguments: processors)
  func extendedStateSizes(processor: RealProcessor) {
    let mask = processor.components.reduce(UInt32(3)) { $0 | 1 << $1.number }
    machine.processor.leaves[0xd] = CPUIDRegisters(
      eax: 0x602e7, ebx: processor.standard, ecx: 11008)
    machine.processor.xcr0 = UInt64(mask)
    var leaves: [(UInt32, UInt32?, [UInt32])] = [
      Self.amd, (0xd, 0, [mask, 0, 11008, 0]), (0xd, 1, [7, 0, 0, 0]),
    ]
    for component in processor.components {
      leaves.append(
        (
          0xd, component.number,
          [component.size, component.place, component.isAligned ? 2 : 0, 0]
        ))
    }
    offer(leaves)
    #expect(cpu.cpuid(0xd, 0).ecx == processor.standard)
    #expect(cpu.cpuid(0xd, 1).ebx == processor.compacted)
    // Only what is on counts in the compacted format.
    machine.processor.xcr0 = 3
    #expect(cpu.cpuid(0xd, 1).ebx == 576)
    // Neither XSAVEC nor XSAVES: the field is reserved.
    leaves[2].2[0] = 5
    offer(leaves)
    #expect(cpu.cpuid(0xd, 1).ebx == 0)
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
