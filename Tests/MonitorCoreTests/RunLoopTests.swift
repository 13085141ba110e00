// SPDX-License-Identifier: Apache-2.0
import Contract
import Devices
import Testing
import X86

@testable import MonitorCore

@Suite("KVM_RUN")
struct RunLoopTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }
  var unit: PretendedUnit { machine.unit }

  func run(_ exits: GuestExit...) {
    unit.steps = exits.map { exit in { _, _ in exit } }
    #expect(cpu.runGuest() == 0)
  }

  @Test(
    "Exits that are the client's have KVM's numbers",
    arguments: [
      (.halt, 5), (.shutdown, 8), (.invalidState(.max), 9), (.other(0x42), 0),
    ] as [(GuestExit, UInt32)])
  func reasons(exit: GuestExit, reason: UInt32) {
    run(exit)
    #expect(cpu.run.exit_reason == reason)
  }

  @Test("A refused entry names the unit's code and the CPU")
  func failedEntry() {
    cpu.cpu.cpu = 7
    run(.invalidState(0x1234))
    #expect(cpu.run.fail_entry.hardware_entry_failure_reason == 0x1234)
    #expect(cpu.run.fail_entry.cpu == 7)
  }

  @Test("An exception that is intercepted is the guest's all the same")
  func exceptions() {
    run(.exception(vector: 1, errorCode: 5), .exception(vector: 17, errorCode: 0))
    #expect(
      unit.delivered == [
        Event(kind: .exception, vector: 1), Event(kind: .exception, vector: 17, errorCode: 0),
      ])
  }

  @Test("A machine check is the machine's")
  func machineCheck() {
    run(.exception(vector: 18, errorCode: 0))
    #expect(unit.delivered == [])
  }

  @Test("Instructions of VT-x and SVM are invalid opcodes")
  func virtualization() {
    run(.virtualizationInstruction)
    #expect(unit.delivered == [Event(kind: .exception, vector: 6)])
  }

  @Test("An event that an exit cut short is delivered again, but not a software interrupt")
  func redelivery() {
    unit.steps = [
      { unit, _ in
        unit.interruptedEvent = Event(kind: .exception, vector: 14, errorCode: 2)
        return .nonMaskableInterrupt
      },
      { unit, _ in
        unit.interruptedEvent = Event(kind: .software, vector: 0x80)
        return .nonMaskableInterrupt
      },
    ]
    #expect(cpu.runGuest() == 0)
    #expect(unit.delivered == [Event(kind: .exception, vector: 14, errorCode: 2)])
  }

  @Test("An event whose delivery was a triple fault is not delivered again")
  func tripleFaultOfDelivery() {
    unit.steps = [
      { unit, _ in
        unit.interruptedEvent = Event(kind: .nonMaskable, vector: 2)
        return .shutdown
      },
      { _, _ in .nonMaskableInterrupt },
    ]
    #expect(cpu.runGuest() == 0)
    #expect(unit.injection == nil)
    #expect(cpu.runGuest() == 0)
    #expect(unit.delivered == [])
  }

  @Test("An exception of a delivery comes first, and the interrupt after it")
  func exceptionOfDelivery() {
    unit.flags = [.alwaysOne, .interruptEnable]
    unit.steps = [
      { unit, _ in
        unit.interruptedEvent = Event(kind: .external, vector: 0x41)
        return .exception(vector: 17, errorCode: 0)
      },
      { _, _ in .nonMaskableInterrupt },
    ]
    #expect(cpu.runGuest() == 0)
    #expect(
      unit.delivered == [
        Event(kind: .exception, vector: 17, errorCode: 0), Event(kind: .external, vector: 0x41),
      ])
  }

  @Test("An interrupt that waits for the guest comes after one whose delivery was cut short")
  func interruptsInTurn() {
    unit.flags = [.alwaysOne, .interruptEnable]
    unit.steps = [
      { unit, _ in
        unit.interruptedEvent = Event(kind: .external, vector: 0x41)
        unit.injection = Event(kind: .external, vector: 0x34)
        return .nonMaskableInterrupt
      },
      { _, _ in .nonMaskableInterrupt },
    ]
    #expect(cpu.runGuest() == 0)
    #expect(
      unit.delivered == [
        Event(kind: .external, vector: 0x41), Event(kind: .external, vector: 0x34),
      ])
  }

  @Test("New registers take an exception away, and no interrupt that was acknowledged")
  func newRegisters() {
    unit.injection = Event(kind: .external, vector: 0x34)
    #expect(cpu.setRegisters(kvm_regs()) == 0)
    #expect(unit.injection == Event(kind: .external, vector: 0x34))
    unit.injection = Event(kind: .exception, vector: 6)
    #expect(cpu.setRegisters(kvm_regs()) == 0)
    #expect(unit.injection == nil)
  }

  @Test(
    "Instructions are stepped over, by the processor's word or their own length",
    arguments: [
      (.cpuid, 2), (.cacheControl, 2), (.hypercall, 3),
    ] as [(GuestExit, UInt64)])
  func lengths(exit: GuestExit, length: UInt64) {
    unit.segments[.cs] = Segment(attributes: .realModeCode)
    machine.publish([
      .init(address: 0, size: 0x4000, physical: PretendedMachine.guestPhysical)
    ])
    for prefixes in [[], [0x66], [0x2e, 0x66]] as [[UInt8]] {
      machine.memory.store(
        prefixes + [0x0f, 0x01, 0xd9], at: PretendedMachine.guestPhysical + 0x1000)
      unit.instructionPointer = 0x1000
      unit.interruptShadow = true
      run(exit)
      // HLT is one byte behind it.
      #expect(unit.instructionPointer >= 0x1000 + UInt64(prefixes.count) + length + 1)
      #expect(!unit.interruptShadow)
    }
    unit.instructionPointer = 0xffff_fffe
    unit.exitInstructionLength = 3
    run(exit)
    #expect(unit.instructionPointer == 4, "32 bits outside long mode")
  }

  @Test("No hypercall is there, and the answer says so")
  func hypercall() {
    run(.hypercall)
    #expect(Int64(bitPattern: cpu.state.registers.rax) == -1000)
  }

  /// SDM vol. 2, XSETBV: x87 always, AVX with SSE only, nothing that is not there.
  @Test(
    "XSETBV takes what the processor has, at privilege level 0",
    arguments: [
      (0, 7, 0, 7), (0, 3, 0, 3), (0, 1, 0, 1), (0, 5, 0, 1), (0, 2, 0, 1), (0, 0, 0, 1),
      (0, 0x203, 0, 1), (1, 7, 0, 1), (0, 7, 3, 1),
    ] as [(UInt64, UInt64, UInt8, UInt64)])
  func extendedControl(register: UInt64, value: UInt64, level: UInt8, expected: UInt64) {
    cpu.state.registers.rcx = register
    cpu.state.registers.rax = value
    cpu.state.registers.rdx = 0
    unit.privilegeLevel = level
    unit.exitInstructionLength = 3
    unit.cr4 = CR4.osXSAVE.rawValue
    run(.setExtendedControl)
    #expect(machine.processor.xcr0 == expected)
    let isFault = unit.delivered == [Event(kind: .exception, vector: 13, errorCode: 0)]
    #expect(isFault == (expected != value || register != 0 || level != 0))
  }

  @Test("XSETBV is an invalid opcode while CR4.OSXSAVE is clear")
  func extendedControlOff() {
    cpu.state.registers.rcx = 0
    cpu.state.registers.rax = 7
    run(.setExtendedControl)
    #expect(machine.processor.xcr0 == 1)
    #expect(unit.delivered == [Event(kind: .exception, vector: 6)])
  }

  @Test("The newest 16 exits are kept, and all are counted")
  func record() {
    unit.instructionPointer = 0x5000
    run(.nonMaskableInterrupt, .interrupt, .preemptionTimer, .interruptWindow)
    #expect(cpu.control.last_exit_count == 5)
    #expect(cpu.control.last_exits.4.rip == 0x5000)
    #expect(cpu.control.last_exits.4.code == 0x72)
    #expect(cpu.control.statistics.entries == 5)
    let counters = cpu.control.statistics.exits
    #expect([counters.0, counters.23, counters.21, counters.15, counters.3] == [1, 1, 1, 1, 1])
  }

  @Test("A PIC's interrupt is injected when the guest takes it, and else its window is asked for")
  func external() {
    cpu.writeXAPIC(.lvtLINT0, 0x700)
    cpu.withMachine { machine in
      for (port, value) in [(0x20, 0x11), (0x21, 0x30), (0x21, 4), (0x21, 1)] as [(UInt16, UInt8)] {
        machine.controllers.pic.write(port: port, value)
      }
      machine.controllers.pic.write(port: 0x21, 0)
      machine.controllers.pic.setLine(4, true)
    }
    unit.steps = [
      { unit, _ in
        #expect(unit.interruptWindowExiting)
        #expect(unit.delivered == [])
        unit.flags = [.alwaysOne, .interruptEnable]
        return .interruptWindow
      },
      { unit, _ in
        #expect(unit.delivered == [Event(kind: .external, vector: 0x34)])
        #expect(!unit.interruptWindowExiting)
        return .halt
      },
    ]
    #expect(cpu.runGuest() == 0)
    #expect(unit.steps.isEmpty)
    #expect(cpu.run.if_flag == 1)
  }
}
