// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("A debugger in the client")
struct GuestDebugTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }

  init() { machine.unit[.cs] = Segment(attributes: .realModeCode) }

  func debug(_ control: Int32, addresses: (UInt64, UInt64) = (0, 0), dr7: UInt64 = 0) -> Int64 {
    var wanted = kvm_guest_debug()
    wanted.control = UInt32(control)
    wanted.arch.debugreg.0 = addresses.0
    wanted.arch.debugreg.1 = addresses.1
    wanted.arch.debugreg.7 = dr7
    return cpu.setGuestDebug(wanted)
  }
  let step = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP
  let hardware = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP

  @Test("A step ends with KVM_EXIT_DEBUG, and leaves nothing of itself in the guest's registers")
  func singleStep() {
    machine.unit.instructionPointer = 0x1000
    machine.unit.dr6 = 0xffff_0ff0
    var trapped = false
    machine.unit.steps = [
      { unit, _ in
        trapped = unit.flags.contains(.trap)
        unit.instructionPointer = 0x1003
        unit.dr6 |= 1 << 14
        return .exception(vector: 1, errorCode: 0)
      }
    ]
    #expect(debug(step) == 0)
    #expect(cpu.runGuest() == 0)
    #expect(trapped)
    #expect(cpu.run.exit_reason == UInt32(KVM_EXIT_DEBUG))
    #expect(cpu.run.debug.arch.exception == 1)
    #expect(cpu.run.debug.arch.pc == 0x1003)
    #expect(cpu.run.debug.arch.dr6 == 0xffff_4ff0)
    #expect(!cpu.unit.flags.contains(.trap))
    #expect(machine.unit.dr6 == 0xffff_0ff0)
    #expect(machine.unit.delivered.isEmpty)
  }

  @Test("A step over an instruction that the monitor executes ends behind it, without an entry")
  func emulatedStep() {
    machine.unit.exitInstructionLength = 2
    machine.unit.instructionPointer = 0x1000
    machine.unit.steps = [{ _, _ in .cpuid }]
    #expect(debug(step) == 0)
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.exit_reason == UInt32(KVM_EXIT_DEBUG))
    #expect(cpu.run.debug.arch.pc == 0x1002)
    #expect(cpu.control.statistics.entries == 1)
    #expect(!cpu.unit.owesSingleStep)
  }

  @Test("A step that is owed is forgotten with the wish for it")
  func forgotten() {
    #expect(debug(step) == 0)
    machine.unit.owesSingleStep = true
    #expect(debug(KVM_GUESTDBG_ENABLE) == 0)
    #expect(!machine.unit.owesSingleStep)
  }

  @Test("A guest that traps itself still does when the debugger has gone")
  func guestsOwnTrap() {
    machine.unit.flags.insert(.trap)
    machine.unit.steps = [{ _, _ in .exception(vector: 1, errorCode: 0) }]
    #expect(debug(step) == 0)
    #expect(cpu.runGuest() == 0)
    #expect(machine.unit.flags.contains(.trap))
  }

  @Test("Breakpoints are in the processor's registers; the guest reads, writes and keeps its own")
  func breakpoints() {
    machine.unit.instructionPointer = 0x1000
    cpu.setGuestDebugAddress(0, 0x7777)
    machine.unit.dr7 = 0x401
    #expect(debug(hardware, addresses: (0x2000, 0x3000), dr7: 0x5) == 0)
    #expect(machine.processor.readDebugAddress(0) == 0x2000)
    #expect(machine.processor.readDebugAddress(1) == 0x3000)
    #expect(machine.unit.dr7 == 0x405)
    #expect(machine.unit.debugRegisterExiting)
    machine.unit.exitInstructionLength = 3
    machine.unit.steps = [
      { _, _ in .debugRegister(DebugRegisterAccess(number: 0, isRead: true, register: 3)) },
      { _, registers in
        registers.rcx = 0x8888
        return .debugRegister(DebugRegisterAccess(number: 1, isRead: false, register: 1))
      },
      { unit, _ in
        unit.dr6 = 0xffff_0ff1
        return .exception(vector: 1, errorCode: 0)
      },
    ]
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.exit_reason == UInt32(KVM_EXIT_DEBUG))
    #expect(cpu.run.debug.arch.dr6 == 0xffff_0ff1)
    #expect(cpu.run.debug.arch.dr7 == 0x405)
    #expect(cpu.state.registers.rbx == 0x7777)
    #expect(cpu.getDebugRegisters().db.1 == 0x8888)
    #expect(cpu.getDebugRegisters().dr7 == 0x401)
    #expect(debug(0) == 0)
    #expect(machine.processor.readDebugAddress(0) == 0x7777)
    #expect(machine.processor.readDebugAddress(1) == 0x8888)
    #expect(machine.unit.dr7 == 0x401)
    #expect(!machine.unit.debugRegisterExiting)
  }

  @Test("DR4 and DR5 are DR6 and DR7, or none where CR4.DE is set")
  func aliases() {
    #expect(debug(hardware) == 0)
    machine.unit.exitInstructionLength = 3
    machine.unit.steps = [
      { _, registers in
        registers.rax = 0x403
        return .debugRegister(DebugRegisterAccess(number: 5, isRead: false, register: 0))
      },
      { unit, _ in
        unit.cr4 = CR4.debuggingExtensions.rawValue
        return .debugRegister(DebugRegisterAccess(number: 4, isRead: true, register: 0))
      },
      { _, _ in .halt },
    ]
    #expect(cpu.runGuest() == 0)
    #expect(cpu.getDebugRegisters().dr7 == 0x403)
    #expect(machine.unit.delivered == [Event(kind: .exception, vector: 6)])
  }

  @Test("INT3 is the debugger's only while it wants it, and goes to the guest when it says so")
  func softwareBreakpoints() {
    machine.unit.instructionPointer = 0x1000
    var pointer: UInt64 = 0
    machine.unit.steps = [
      { _, _ in .exception(vector: 3, errorCode: 0) },
      { unit, _ in
        pointer = unit.instructionPointer
        return .halt
      },
    ]
    #expect(debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP) == 0)
    #expect(machine.unit.breakpointExiting)
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.exit_reason == UInt32(KVM_EXIT_DEBUG))
    #expect(cpu.run.debug.arch.exception == 3)
    #expect(cpu.run.debug.arch.pc == 0x1000)
    #expect(debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_BP) == 0)
    #expect(debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_BP) == -16)
    #expect(!machine.unit.breakpointExiting)
    #expect(cpu.runGuest() == 0)
    #expect(machine.unit.delivered == [Event(kind: .exception, vector: 3)])
    #expect(pointer == 0x1001)
  }

  @Test("An INT3 that is injected without a debugger is delivered once, whatever comes later")
  func injectedAlone() {
    machine.unit.steps = [
      { unit, _ in
        unit.interruptedEvent = Event(kind: .software, vector: 3)
        return .nonMaskableInterrupt
      },
      { _, _ in .nonMaskableInterrupt },
      { unit, _ in
        unit.interruptedEvent = Event(kind: .software, vector: 3)
        return .nonMaskableInterrupt
      },
      { _, _ in .halt },
    ]
    #expect(debug(KVM_GUESTDBG_INJECT_BP) == 0)
    #expect(cpu.runGuest() == 0)
    // Cut short once, and delivered then; the guest's own INT3 is executed again by itself.
    #expect(machine.unit.delivered.count == 2)
    #expect(!cpu.state.attention.contains(.debugger))
  }

  @Test("Interrupts are held off by the task priority, which is the guest's again afterwards")
  func blockedInterrupts() {
    machine.processor.writeAPIC(.taskPriority, 0x20)
    var priority: UInt32 = 0
    let processor = machine.processor
    machine.unit.steps = [
      { _, _ in
        priority = processor.readAPIC(.taskPriority)
        return .exception(vector: 1, errorCode: 0)
      }
    ]
    #expect(debug(step | KVM_GUESTDBG_BLOCKIRQ) == 0)
    #expect(cpu.runGuest() == 0)
    #expect(priority == 0xff)
    #expect(machine.processor.readAPIC(.taskPriority) == 0x20)
    #expect(cpu.run.cr8 == 2)
  }

  @Test("Without a debugger the guest gets its #DB")
  func none() {
    machine.unit.steps = [{ _, _ in .exception(vector: 1, errorCode: 0) }, { _, _ in .halt }]
    #expect(debug(0) == 0)
    #expect(cpu.runGuest() == 0)
    #expect(machine.unit.delivered == [Event(kind: .exception, vector: 1)])
  }
}
