// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("MSRs of the guest")
struct MSRPolicyTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }

  func write(_ msr: UInt32, _ value: UInt64) -> Bool {
    cpu.writeMSR(MSR(rawValue: msr), value, by: .guest)
  }
  func read(_ msr: UInt32) -> UInt64? { cpu.readMSR(MSR(rawValue: msr)) }

  @Test(
    "What is not offered is not there",
    arguments: [
      0x122, 0x345, 0x38f, 0x480, 0x570, 0x7ff, 0x900, 0xda0, 0x2000, 0x4000_0000, 0xc000_00e7,
      0xffff_ffff,
    ] as [UInt32])
  func unknown(msr: UInt32) {
    #expect(read(msr) == nil)
    #expect(!write(msr, 0))
    #expect(machine.processor.msrs[msr] == nil)
  }

  /// Operating systems touch these without asking CPUID; KVM answers them.
  @Test(
    "What every processor of a vendor has reads as KVM's does, and a write of 0 does no harm",
    arguments: [
      (0x2a, 0), (0x3a, 0), (0x48, 0), (0xc1, 0), (0x140, 0), (0x186, 0), (0x199, 0),
      (0x401, 0), (0x47e, 0), (0xc001_0000, 0), (0xc001_0007, 0), (0xc001_0055, 0),
      (0xc001_0058, 0), (0xc001_0112, 0), (0xc001_0113, 0), (0xc001_0114, 0), (0xc001_0117, 0),
    ] as [(UInt32, UInt64)])
  func unasked(msr: UInt32, value: UInt64) {
    #expect(read(msr) == value)
    #expect(write(msr, 0))
    #expect(read(msr) == value)
    #expect(machine.processor.msrs[msr] == nil)
  }

  @Test("Speculation control is not offered, so that no guest believes to have set it")
  func speculation() {
    #expect(!write(0x48, 1))
    #expect(!write(0x10a, 1))
    #expect(read(0x10a) == 0)
    #expect(read(0xcd) == 3)
    #expect(read(0x198) == 4 << 40 | 1000)
  }

  @Test("An MSR of the control block is kept there")
  func kept() {
    machine.unit.kept[0xc000_0082] = 0
    #expect(write(0xc000_0082, 0xffff_8000_0000_1234))
    #expect(read(0xc000_0082) == 0xffff_8000_0000_1234)
    #expect(machine.processor.msrs[0xc000_0082] == nil)
  }

  @Test(
    "What a kernel writes and reads back stays the guest's",
    arguments: [
      0x200, 0x20f, 0x250, 0x258, 0x259, 0x268, 0x26f, 0x2ff, 0x1a0, 0x1d9, 0x3b, 0x8b, 0x17a,
      0xc001_0010, 0xc001_0015, 0xc001_001f, 0xc001_1029,
    ] as [UInt32])
  func stored(msr: UInt32) {
    #expect(write(msr, 0x0123_4567_89ab_cdef))
    #expect(read(msr) == 0x0123_4567_89ab_cdef)
    #expect(machine.processor.msrs[msr] == nil)
  }

  @Test("Each of the memory type registers is a cell of its own")
  func memoryTypes() {
    let all = [UInt32](0x200...0x20f) + [0x250, 0x258, 0x259] + [UInt32](0x268...0x26f) + [0x2ff]
    for msr in all { #expect(write(msr, UInt64(msr))) }
    for msr in all { #expect(read(msr) == UInt64(msr)) }
    // SDM vol. 3, 12.11.1: eight variable ranges, fixed ranges, write-combining.
    #expect(read(0xfe) == 0x508)
    #expect(!write(0xfe, 0x508))
  }

  /// Bits of EFER: SCE 0, LME 8, LMA 10, NXE 11, SVME 12, LMSLE 13, FFXSR 14.
  @Test("EFER has the bits that are offered, and no virtualisation")
  func efer() {
    #expect(write(0xc000_0080, 1 << 0 | 1 << 11))
    #expect(read(0xc000_0080) == 0x801)
    #expect(!write(0xc000_0080, 1 << 12))
    #expect(!write(0xc000_0080, 1 << 13))
    #expect(!write(0xc000_0080, 1 << 63))
    #expect(read(0xc000_0080) == 0x801)
  }

  @Test("LMA is the processor's, and LME stays while paging is on")
  func longMode() {
    #expect(write(0xc000_0080, 1 << 8 | 1 << 10))
    #expect(read(0xc000_0080) == 1 << 8)
    machine.unit.efer = 0x500
    machine.unit.cr0 = 0x8000_0011
    #expect(write(0xc000_0080, 0x101))
    #expect(read(0xc000_0080) == 0x501)
    #expect(!write(0xc000_0080, 0x1))
  }

  @Test("TSC_AUX is there where both client and processor have RDTSCP, with 32 bits")
  func auxiliary() {
    #expect(!write(0xc000_0103, 1))
    machine.processor.leaves[0x8000_0001] = CPUIDRegisters(edx: 1 << 27)
    #expect(read(0xc000_0103) == nil)
    cpu.cpuidTable[0] = kvm_cpuid_entry2(
      function: 0x8000_0001, index: 0, flags: 0, eax: 0, ebx: 0, ecx: 0, edx: 1 << 27,
      padding: (0, 0, 0))
    cpu.cpuidTable.index(count: 1)
    cpu.learnFeatures()
    #expect(write(0xc000_0103, 5))
    #expect(read(0xc000_0103) == 5)
    #expect(!write(0xc000_0103, 1 << 32))
  }

  @Test("A refused access is a general protection fault at the instruction, with code 0")
  func fault() {
    machine.unit.instructionPointer = 0x1000
    machine.unit.steps = [
      { _, registers in
        registers.rcx = 0xffff_ffff_0000_0480
        return .readMSR
      }
    ]
    _ = cpu.runGuest()
    #expect(machine.unit.delivered == [Event(kind: .exception, vector: 13, errorCode: 0)])
  }

  @Test("EDX and EAX carry a value, ECX the number; upper halves do not count")
  func registers() {
    machine.unit.exitInstructionLength = 2
    machine.unit.steps = [
      { _, registers in
        registers.rcx = 0xabcd_0000_0000_0200
        registers.rax = 0xffff_ffff_89ab_cdef
        registers.rdx = 0xffff_ffff_0123_4567
        return .writeMSR
      },
      { _, registers in
        registers.rax = .max
        registers.rdx = .max
        return .readMSR
      },
    ]
    _ = cpu.runGuest()
    #expect(read(0x200) == 0x0123_4567_89ab_cdef)
    #expect(cpu.state.registers.rax == 0x89ab_cdef)
    #expect(cpu.state.registers.rdx == 0x0123_4567)
    // HLT took one byte: its length is known by what the guest did.
    #expect(machine.unit.delivered == [])
  }
}
