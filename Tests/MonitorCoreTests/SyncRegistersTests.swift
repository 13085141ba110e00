// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("Registers in kvm_run")
struct SyncRegistersTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }

  func halts(_ body: @escaping (inout GuestRegisters) -> Void = { _ in }) {
    machine.unit.exitInstructionLength = 1
    machine.unit.steps = [
      { _, registers in
        body(&registers)
        return .halt
      }
    ]
  }

  @Test("What the client marked as dirty is taken before the guest goes on, and then clean")
  func dirty() {
    var seen: UInt64 = 0
    halts { seen = $0.rbx }
    cpu.run.s.regs.regs.rbx = 7
    cpu.run.s.regs.regs.rip = 0x1000
    cpu.run.kvm_dirty_regs = UInt64(KVM_SYNC_X86_REGS)
    #expect(cpu.runGuest() == 0)
    #expect(seen == 7)
    #expect(cpu.run.kvm_dirty_regs == 0)
  }

  @Test("What the client wants to see is there when KVM_RUN returns")
  func valid() {
    halts { $0.rbx = 9 }
    machine.unit.cr2 = 0x1234
    cpu.run.kvm_valid_regs = UInt64(KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS)
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.s.regs.regs.rbx == 9)
    #expect(cpu.run.s.regs.sregs.cr2 == 0x1234)
    #expect(cpu.run.s.regs.events.flags == 0)
  }

  @Test("Nothing is written that was not asked for")
  func unasked() {
    halts { $0.rbx = 9 }
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.s.regs.regs.rbx == 0)
  }

  @Test("Unknown sets, and registers that no processor can have, are refused before the guest runs")
  func refused() {
    cpu.run.kvm_valid_regs = 8
    #expect(cpu.runGuest() == -22)
    cpu.run.kvm_valid_regs = 0
    cpu.run.kvm_dirty_regs = 8
    #expect(cpu.runGuest() == -22)
    cpu.run.s.regs.sregs = cpu.getSpecialRegisters()
    cpu.run.s.regs.sregs.cr0 = 1 << 31
    cpu.run.kvm_dirty_regs = UInt64(KVM_SYNC_X86_SREGS)
    #expect(cpu.runGuest() == -22)
    #expect(cpu.control.statistics.entries == 0)
  }
}
