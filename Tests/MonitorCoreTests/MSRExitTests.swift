// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("MSRs that are the client's")
struct MSRExitTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }
  var unit: PretendedUnit { machine.unit }
  static let filter: UInt64 = 40 << 20

  /// One MSR at a time, then HLT.
  func read(_ msr: UInt32) {
    unit.steps = [
      { _, registers in
        registers.rcx = UInt64(msr)
        return .readMSR
      }
    ]
    #expect(cpu.runGuest() == 0)
  }
  func write(_ msr: UInt32, _ value: UInt64) {
    unit.steps = [
      { _, registers in
        registers.rcx = UInt64(msr)
        registers.rax = value & 0xffff_ffff
        registers.rdx = value >> 32
        return .writeMSR
      }
    ]
    #expect(cpu.runGuest() == 0)
  }

  struct Range {
    var first: UInt32
    var count: UInt32
    var accesses: UInt32
    /// Allowed ones, from `first` on.
    var allowed: [UInt32] = []
  }

  /// As the driver does it: in the place of the generation that it then publishes.
  func publish(_ ranges: [Range]?, deniesOthers: Bool = false) {
    let memory = machine.memory
    if let ranges {
      memory[Self.filter, as: UInt32.self] = deniesOthers ? 1 : 0
      memory[Self.filter + 4, as: UInt32.self] = UInt32(ranges.count)
      var bitmap = UInt32(MemoryLayout<apus_msr_filter>.size)
      for (index, range) in ranges.enumerated() {
        memory[Self.filter + 8 + UInt64(index) * 16, as: apus_msr_range.self] = apus_msr_range(
          first: range.first, count: range.count, accesses: range.accesses, bitmap: bitmap)
        for byte in 0..<range.count / 8 + 1 {
          memory[Self.filter + UInt64(bitmap + byte), as: UInt8.self] = 0
        }
        for number in range.allowed {
          let byte = Self.filter + UInt64(bitmap + number / 8)
          memory[byte, as: UInt8.self] |= 1 << UInt8(number % 8)
        }
        bitmap += (range.count + 63) / 64 * 8
      }
    }
    let address = ranges == nil ? 0 : Self.filter
    if cpu.vm.slots_generation & 1 == 0 {
      cpu.vm.msr_filters.1 = address
    } else {
      cpu.vm.msr_filters.0 = address
    }
    machine.publish([])
  }

  @Test("Without the capability an unknown MSR is #GP, and the client sees nothing of it")
  func fault() {
    read(0x122)
    #expect(cpu.run.exit_reason == UInt32(KVM_EXIT_HLT))
    #expect(unit.delivered == [Event(kind: .exception, vector: 13, errorCode: 0)])
  }

  @Test("The client answers the read of an unknown MSR, and the guest goes on behind it")
  func readByClient() {
    cpu.vm.msr_exits = UInt32(KVM_MSR_EXIT_REASON_UNKNOWN)
    unit.instructionPointer = 0x1000
    unit.exitInstructionLength = 2
    read(0x122)
    #expect(cpu.run.exit_reason == UInt32(KVM_EXIT_X86_RDMSR))
    #expect(cpu.run.msr.reason == UInt32(KVM_MSR_EXIT_REASON_UNKNOWN))
    #expect(cpu.run.msr.index == 0x122)
    #expect(unit.instructionPointer == 0x1000)
    cpu.run.msr.data = 0x1234_5678_9abc_def0
    #expect(cpu.runGuest() == 0)
    #expect(cpu.state.registers.rax == 0x9abc_def0)
    #expect(cpu.state.registers.rdx == 0x1234_5678)
    // HLT ended it, one byte further.
    #expect(unit.instructionPointer >= 0x1002)
    #expect(unit.delivered == [])
  }

  @Test("A write comes with its value; the client's error is #GP at the instruction")
  func writeRefused() {
    cpu.vm.msr_exits = UInt32(KVM_MSR_EXIT_REASON_UNKNOWN)
    unit.instructionPointer = 0x1000
    write(0x122, 0x1_0000_0002)
    #expect(cpu.run.exit_reason == UInt32(KVM_EXIT_X86_WRMSR))
    #expect(cpu.run.msr.data == 0x1_0000_0002)
    #expect(cpu.run.msr.error == 0)
    cpu.run.msr.error = 1
    #expect(cpu.runGuest() == 0)
    #expect(unit.delivered == [Event(kind: .exception, vector: 13, errorCode: 0)])
  }

  @Test("Only the reasons that the client asked for exit: a wrong value of a known MSR is another")
  func reasons() {
    cpu.vm.msr_exits = UInt32(KVM_MSR_EXIT_REASON_UNKNOWN)
    write(0x48, 1)
    #expect(cpu.run.exit_reason == UInt32(KVM_EXIT_HLT))
    cpu.vm.msr_exits = UInt32(KVM_MSR_EXIT_REASON_INVAL)
    write(0x48, 1)
    #expect(cpu.run.exit_reason == UInt32(KVM_EXIT_X86_WRMSR))
    #expect(cpu.run.msr.reason == UInt32(KVM_MSR_EXIT_REASON_INVAL))
  }

  @Test("The answer is taken over before KVM_RUN returns for immediate_exit")
  func immediateExit() {
    cpu.vm.msr_exits = UInt32(KVM_MSR_EXIT_REASON_UNKNOWN)
    read(0x122)
    cpu.run.msr.data = 5
    cpu.run.immediate_exit = 1
    #expect(cpu.runGuest() == -4)
    cpu.run.immediate_exit = 0
    #expect(cpu.state.registers.rax == 5)
    // Nothing is pending any more: this does not come over the register again.
    cpu.state.registers.rax = 7
    #expect(cpu.runGuest() == 0)
    #expect(cpu.state.registers.rax == 7)
  }

  @Test("The first range that has the MSR and the access decides; others are allowed or denied")
  func ranges() {
    publish([
      Range(first: 0x10, count: 64, accesses: 2, allowed: [0x0b]),
      Range(first: 0x10, count: 16, accesses: 3, allowed: [0, 0x0b]),
    ])
    cpu.followSlots()
    func allows(_ msr: UInt32, _ access: MSRAccess) -> Bool {
      cpu.filterAllows(MSR(rawValue: msr), access)
    }
    #expect(allows(0x10, .read) && !allows(0x10, .write))
    #expect(allows(0x1b, .read) && allows(0x1b, .write))
    #expect(!allows(0x1f, .read))
    #expect(!allows(0x4f, .write) && allows(0x4f, .read))
    #expect(allows(0x0f, .write) && allows(0x50, .write) && allows(0xc000_0080, .read))
    publish([Range(first: 0x10, count: 1, accesses: 1, allowed: [0])], deniesOthers: true)
    cpu.followSlots()
    #expect(allows(0x10, .read) && !allows(0x10, .write) && !allows(0xc000_0080, .read))
    // api.rst: the x2APIC's MSRs cannot be filtered.
    #expect(allows(0x802, .read) && allows(0x8ff, .write))
  }

  @Test("A denied MSR that is the processor's exits, and is the guest's again without the filter")
  func direct() {
    let lstar: UInt32 = 0xc000_0082
    #expect(unit.intercepts[lstar]! == (false, false))
    publish([Range(first: lstar, count: 1, accesses: 2)])
    cpu.followSlots()
    #expect(unit.intercepts[lstar]! == (false, true))
    unit.kept[lstar] = 3
    write(lstar, 4)
    #expect(unit.delivered == [Event(kind: .exception, vector: 13, errorCode: 0)])
    #expect(unit.kept[lstar] == 3)
    cpu.vm.msr_exits = UInt32(KVM_MSR_EXIT_REASON_FILTER)
    write(lstar, 4)
    #expect(cpu.run.exit_reason == UInt32(KVM_EXIT_X86_WRMSR))
    #expect(cpu.run.msr.reason == UInt32(KVM_MSR_EXIT_REASON_FILTER))
    // The client itself is not filtered.
    #expect(cpu.writeMSR(MSR(rawValue: lstar), 9, by: .client))
    publish(nil)
    cpu.followSlots()
    #expect(unit.intercepts[lstar]! == (false, false))
  }
}

@Suite("KVM_GET_SREGS2, KVM_SET_SREGS2 and KVM_KVMCLOCK_CTRL")
struct LaterRegisterTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }

  @Test("They are what KVM_GET_SREGS says, and can be set again")
  func same() {
    let first = cpu.getSpecialRegisters()
    var registers = cpu.getSpecialRegisters2()
    #expect(registers.cr0 == first.cr0 && registers.cs.base == first.cs.base)
    #expect(registers.idt.limit == first.idt.limit && registers.cr8 == first.cr8)
    #expect(registers.apic_base == first.apic_base && registers.efer == first.efer)
    #expect(registers.flags == 0)
    registers.cr2 = 0x1234
    #expect(cpu.setSpecialRegisters2(registers) == 0)
    #expect(machine.unit.cr2 == 0x1234)
    registers.flags = 2
    #expect(cpu.setSpecialRegisters2(registers) == -22)
  }

  @Test("A guest that was stopped is told so until it has seen it")
  func stopped() {
    #expect(cpu.tellGuestItWasStopped() == -22)
    machine.publish([
      .init(address: 0, size: 1 << 20, physical: PretendedMachine.guestPhysical)
    ])
    cpu.followSlots()
    #expect(cpu.writeMSR(.kvmSystemTime, 0x1001, by: .guest))
    func flags() -> UInt64? { cpu.memory.read(0x1000 + 29, size: 1) }
    #expect(flags() == 1)
    #expect(cpu.tellGuestItWasStopped() == 0)
    #expect(flags() == 3)
    // KVM_SET_CLOCK in between.
    cpu.publishSystemTime()
    #expect(flags() == 3)
    _ = cpu.memory.write(0x1000 + 29, 1, size: 1)
    cpu.publishSystemTime()
    #expect(flags() == 1)
  }
}
