// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("The guest's local vector table")
struct LocalVectorTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }

  init() {
    cpu.setAPICBaseUnchecked(APICBase(rawValue: 0xfee0_0d00))
    machine.processor.msrs = [:]
  }

  func write(_ msr: UInt32, _ value: UInt64) -> Bool {
    cpu.writeMSR(MSR(rawValue: msr), value, by: .guest)
  }
  func real(_ msr: UInt32) -> UInt64? { machine.processor.msrs[msr] }

  @Test("The timer's vector, mask and mode reach the real timer, a delivery mode does not")
  func timer() {
    #expect(write(0x832, 0x2_07ef))
    #expect(real(0x832) == 0x2_00ef)
    #expect(write(0x832, 0x1_04ef))
    #expect(real(0x832) == 0x1_00ef)
    #expect(!write(0x832, 0x6_00ef), "mode 3 is reserved")
    #expect(real(0x832) == 0x1_00ef)
  }

  @Test("TSC-deadline mode needs both the client's offer and the processor's ability")
  func deadline() {
    #expect(!write(0x832, 0x4_00ef))
    #expect(!write(0x6e0, 1))
    offerDeadline(client: true, processor: false)
    #expect(!write(0x832, 0x4_00ef))
    offerDeadline(client: false, processor: true)
    #expect(!write(0x832, 0x4_00ef))
    offerDeadline(client: true, processor: true)
    #expect(write(0x832, 0x4_00ef))
    #expect(real(0x832) == 0x4_00ef)
    #expect(write(0x6e0, 0x1234))
    #expect(real(0x6e0) == 0x1234)
  }

  func offerDeadline(client: Bool, processor: Bool) {
    cpu.cpuidTable[0] = kvm_cpuid_entry2(
      function: 1, index: 0, flags: 0, eax: 0, ebx: 0, ecx: client ? 1 << 24 : 0, edx: 0,
      padding: (0, 0, 0))
    cpu.cpuidTable.index(count: 1)
    cpu.learnFeatures()
    machine.processor.leaves[1] = CPUIDRegisters(ecx: processor ? 1 << 24 : 0)
  }

  @Test(
    "LINT pins, counters, sensor and machine checks are remembered and never reach the real ones",
    arguments: [0x835, 0x836, 0x834, 0x833] as [UInt32], [0x200, 0x400, 0x700, 0x041] as [UInt64])
  func remembered(msr: UInt32, value: UInt64) {
    #expect(write(msr, value))
    #expect(cpu.readMSR(MSR(rawValue: msr)) == value)
    #expect(real(msr) == nil)
  }

  @Test("The error entry has a vector and a mask")
  func error() {
    #expect(write(0x837, 0x1_07fe))
    #expect(real(0x837) == 0x1_00fe)
  }

  @Test("The spurious vector cannot carry more than vector, software enable and focus")
  func spurious() {
    #expect(write(0x80f, 0x1fff))
    #expect(real(0x80f) == 0x1ff)
  }

  @Test(
    "Registers that are read-only, or are not there, fault",
    arguments: [0x802, 0x803, 0x80a, 0x80d, 0x80e, 0x810, 0x820, 0x831, 0x839, 0x840, 0x8ff]
      as [UInt32])
  func faults(msr: UInt32) {
    #expect(!write(msr, 0))
    #expect(real(msr) == nil)
  }

  @Test("Values of more than 32 bits fault, but for the command register")
  func wide() {
    for msr in [0x808, 0x80b, 0x80f, 0x828, 0x832, 0x835, 0x838, 0x83e] as [UInt32] {
      #expect(!write(msr, 1 << 32), "\(msr)")
    }
    #expect(!write(0x808, 0x100), "TPR")
  }

  @Test("In xAPIC mode the MSRs fault, as on a processor")
  func xAPIC() {
    cpu.setAPICBaseUnchecked(APICBase(rawValue: 0xfee0_0900))
    #expect(cpu.readMSR(MSR(rawValue: 0x802)) == nil)
    #expect(!write(0x830, 0x4_0041))
    #expect(cpu.readXAPIC(.id) == 0)
  }

  @Test("The ID and the version are the guest's")
  func identity() {
    #expect(cpu.readMSR(MSR(rawValue: 0x802)) == 0)
    #expect(cpu.readMSR(MSR(rawValue: 0x80d)) == 1)
    #expect(cpu.readMSR(MSR(rawValue: 0x803)) == 0x5_0014)
  }
}
