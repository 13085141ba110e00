// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

/// SDM vol. 3, 16.3: IA32_MCG_CAP 0x179, _STATUS 0x17a, _CTL 0x17b; four registers a bank from 0x400.
@Suite("The guest's machine-check registers")
struct MachineCheckTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }

  func read(_ msr: UInt32, by reader: Writer = .guest) -> UInt64? {
    cpu.readMSR(MSR(rawValue: msr), by: reader)
  }
  func write(_ msr: UInt32, _ value: UInt64, by writer: Writer = .guest) -> Bool {
    cpu.writeMSR(MSR(rawValue: msr), value, by: writer)
  }

  @Test("Before KVM_X86_SETUP_MCE there are 32 banks, nothing is enabled, and there is no MCG_CTL")
  func fresh() {
    #expect(read(0x179) == 32)
    #expect(read(0x17a) == 0)
    #expect(read(0x17b) == nil)
    #expect(!write(0x17b, 0))
    // A client saves and restores it all the same.
    #expect(read(0x17b, by: .client) == 0)
    #expect(write(0x17b, 0, by: .client))
    #expect(!write(0x17b, .max, by: .client))
    #expect(read(0x400) == 0)
    #expect(read(0x47f) == 0)
    #expect(read(0x480) == nil)
  }

  @Test("KVM_X86_SETUP_MCE says how many banks there are, and enables all errors")
  func setUp() {
    #expect(cpu.setUpMachineCheck(1 << 24 | 1 << 8 | 10) == 0)
    #expect(read(0x179) == 0x100_010a)
    #expect(read(0x17b) == .max)
    #expect(read(0x424) == .max)
    #expect(read(0x427) == 0)
    #expect(read(0x428) == nil)
    #expect(!write(0x428, 0))
  }

  @Test(
    "KVM_X86_SETUP_MCE refuses no banks, too many, and what is not offered",
    arguments: [0, 33, 0xff, 1 << 10 | 10, 1 << 27 | 10, 1 << 63 | 10] as [UInt64])
  func refused(capability: UInt64) {
    #expect(cpu.setUpMachineCheck(capability) == -22)
    #expect(read(0x179) == 32)
  }

  @Test("Controls are all or nothing, but for the bits that Linux and others leave out")
  func controls() {
    #expect(cpu.setUpMachineCheck(1 << 8 | 4) == 0)
    #expect(write(0x17b, 0))
    #expect(!write(0x17b, 1))
    #expect(write(0x400, 0))
    #expect(!write(0x400, 2))
    #expect(write(0x404, .max - 1 << 10))
    #expect(write(0x408, .max - 1))
    #expect(read(0x408) == UInt64.max - 1)
  }

  @Test("A guest clears a status; a client, and an AMD guest that asked to, also sets one")
  func status() {
    #expect(!write(0x401, 1))
    #expect(write(0x401, 1 << 63, by: .client))
    #expect(read(0x401) == 1 << 63)
    #expect(write(0x401, 0))
    #expect(read(0x401) == 0)
    #expect(write(0xc001_0015, 1 << 18))
    #expect(write(0x401, 1 << 63))
  }

  /// Status: valid 63, overflow 62, uncorrected 61. MCG_STATUS: in progress 2.
  func report(bank: UInt8 = 1, status: UInt64, address: UInt64 = 0x1234) -> Int64 {
    var error = kvm_x86_mce()
    error.bank = bank
    error.status = status
    error.addr = address
    error.mcg_status = 1 << 2 | 1
    return cpu.reportMachineCheck(error)
  }

  @Test("An uncorrected error is a machine-check exception, with its status in its bank")
  func exception() {
    #expect(cpu.setUpMachineCheck(1 << 8 | 4) == 0)
    machine.unit.cr4 = 1 << 6
    #expect(report(status: 1 << 63 | 1 << 61 | 7) == 0)
    #expect(read(0x405) == UInt64(1) << 63 | 1 << 61 | 7)
    #expect(read(0x406) == 0x1234)
    #expect(read(0x17a) == 5)
    #expect(machine.unit.injection == Event(kind: .exception, vector: 18))
  }

  @Test("A second one while the first is handled, or one that the guest cannot take, ends it")
  func shutdown() {
    #expect(cpu.setUpMachineCheck(1 << 8 | 4) == 0)
    #expect(report(status: 1 << 63 | 1 << 61) == 0)
    #expect(machine.unit.injection == nil)
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.exit_reason == UInt32(KVM_EXIT_SHUTDOWN))
    #expect(read(0x405) == 0)
  }

  @Test("A corrected error is only recorded; one that finds another there says that one is lost")
  func corrected() {
    #expect(report(status: 1 << 63 | 1) == 0)
    #expect(read(0x405) == UInt64(1) << 63 | 1)
    #expect(report(status: 1 << 63 | 2, address: 0x5678) == 0)
    #expect(read(0x405) == UInt64(1) << 63 | 1 << 62 | 2)
    #expect(read(0x406) == 0x5678)
    #expect(machine.unit.injection == nil)
  }

  @Test("A guest that switched reporting off is not told")
  func off() {
    #expect(cpu.setUpMachineCheck(1 << 8 | 4) == 0)
    machine.unit.cr4 = 1 << 6
    #expect(write(0x404, 0))
    #expect(report(status: 1 << 63 | 1 << 61) == 0)
    #expect(read(0x405) == 0)
    #expect(machine.unit.injection == nil)
  }

  @Test("A bank that is not there and a status that is not valid are refused")
  func malformed() {
    #expect(cpu.setUpMachineCheck(4) == 0)
    #expect(report(bank: 4, status: 1 << 63) == -22)
    #expect(report(status: 1 << 61) == -22)
  }
}
