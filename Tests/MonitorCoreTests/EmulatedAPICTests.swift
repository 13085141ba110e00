// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("A guest whose local APIC is emulated")
struct EmulatedAPICTests {
  let machine = PretendedMachine(cpus: 2)
  var cpu: PretendedMachine.CPU { machine.cpu }
  var unit: PretendedUnit { machine.unit }
  var processor: PretendedProcessor { machine.processor }

  init() {
    #expect(cpu.setAPICBase(APICBase(rawValue: 0xfee0_0d00), by: .guest))
    processor.msrs[0x80f] = 0x1ff
    processor.msrs[0x832] = 0x1_0000
    processor.msrs[0x837] = 0x1_0000
    choose(APUS_POLICY_MONITOR)
    unit.flags.insert(.interruptEnable)
  }

  func choose(_ policy: apus_timer_policy) {
    #expect(cpu.chooseTimer(apus_timer_choice(policy: policy.rawValue, reserved: 0)) == 0)
  }
  func read(_ msr: UInt32) -> UInt64? { cpu.readMSR(MSR(rawValue: msr), by: .guest) }
  @discardableResult
  func write(_ msr: UInt32, _ value: UInt64) -> Bool {
    cpu.writeMSR(MSR(rawValue: msr), value, by: .guest)
  }
  /// The guest runs until it halts; each step says how it exits.
  func run(_ steps: PretendedUnit.Step...) {
    unit.steps = steps
    #expect(cpu.runGuest() == 0)
  }
  /// A physical interrupt ends the guest's run.
  func interrupted(_ vectors: UInt8...) -> PretendedUnit.Step {
    let processor = processor
    return { _, _ in
      processor.waiting += vectors
      return .interrupt
    }
  }
  func external(_ vector: UInt8) -> Event { Event(kind: .external, vector: vector) }

  @Test("The processor's interrupts exit, and those alone")
  func begins() {
    #expect(unit.interruptExiting)
    #expect(processor.takesInterrupts)
    #expect(cpu.control.statistics.timer_mode == APUS_TIMER_MONITOR.rawValue)
    for msr in [0x808, 0x80b, 0x80f, 0x82f, 0x830, 0x832, 0x83f] as [UInt32] {
      #expect(unit.exits(msr).writes, "\(msr)")
    }
    for msr in [0x808, 0x80a, 0x810, 0x820, 0x828] as [UInt32] {
      #expect(unit.exits(msr).reads, "\(msr)")
    }
    // The timer's counters are the lent CPU's.
    #expect(!unit.exits(0x838).writes)
    #expect(!unit.exits(0x839).reads)
  }

  @Test("An interrupt that was taken is injected, and in service until its EOI")
  func injected() {
    run(interrupted(0x51))
    #expect(unit.delivered == [external(0x51)])
    #expect(read(0x812) == 1 << 0x11)
    #expect(read(0x822) == 0)
    #expect(write(0x80b, 0))
    #expect(read(0x812) == 0)
    #expect(processor.sent.isEmpty)
    #expect(processor.selfInterrupts.isEmpty)
  }

  @Test("Of several the highest comes first; one of a lower class waits for its EOI")
  func priorities() {
    run(
      interrupted(0x31, 0x52), { _, _ in .cpuid },
      { [cpu] _, _ in
        #expect(cpu.writeMSR(MSR(rawValue: 0x80b), 0, by: .guest))
        return .cpuid
      }, { _, _ in .cpuid })
    #expect(unit.delivered == [external(0x52), external(0x31)])
  }

  @Test("With IF 0 the guest is asked to exit when it is 1")
  func window() {
    unit.flags.remove(.interruptEnable)
    run(
      interrupted(0x51),
      { unit, _ in
        #expect(unit.interruptWindowExiting)
        unit.flags.insert(.interruptEnable)
        return .interruptWindow
      }, { _, _ in .cpuid })
    #expect(unit.delivered == [external(0x51)])
    #expect(!unit.interruptWindowExiting)
  }

  @Test("TPR holds off its own class and those below it, and a fall below exits")
  func taskPriority() {
    #expect(write(0x808, 0x5f))
    #expect(unit.taskPriority == 0x5f)
    run(
      interrupted(0x5f, 0x31),
      { unit, _ in
        #expect(unit.awaitedPriority == 5)
        #expect(unit.injection == nil)
        // MOV to CR8.
        unit.taskPriority = 0x40
        return .interruptWindow
      }, { _, _ in .cpuid })
    #expect(unit.delivered == [external(0x5f)])
    #expect(unit.awaitedPriority == 0)
    #expect(read(0x808) == 0x40)
    #expect(cpu.getSpecialRegisters().cr8 == 4)
  }

  @Test("A self-interrupt waits in IRR, and PPR says why")
  func selfInterrupt() {
    #expect(write(0x83f, 0x41))
    #expect(read(0x822) == 1 << 1)
    #expect(read(0x80a) == 0)
    run({ _, _ in .cpuid })
    #expect(unit.delivered == [external(0x41)])
    #expect(read(0x80a) == 0x40)
  }

  @Test("What the guest sends to itself by a command is read in IRR at once")
  func commandToItself() {
    processor.onSend = { [processor] in processor.waiting.append(0x44) }
    #expect(write(0x830, 0x44))
    #expect(read(0x822) == 1 << 4)
  }

  @Test("An interrupt that was not delivered yet makes way for a higher one")
  func withdrawn() {
    run(interrupted(0x31))
    #expect(unit.delivered == [external(0x31)])
    // The unit has it still: SVM, where an interrupt of the processor's came first.
    unit.injection = external(0x31)
    cpu.state.apic.ownsInjection = true
    processor.waiting = [0x92]
    processor.takeInterrupts()
    run({ _, _ in .cpuid })
    #expect(unit.delivered == [external(0x31), external(0x92)])
    #expect(read(0x821) == 1 << 0x11)
  }

  @Test("An APIC that is off takes nothing, and its LVT entries are masked")
  func off() {
    #expect(write(0x832, 0x40))
    #expect(write(0x837, 0x41))
    #expect(write(0x80f, 0xff))
    #expect(read(0x832) == 0x1_0040)
    #expect(processor.msrs[0x832] == 0x1_0040)
    #expect(read(0x837) == 0x1_0041)
    #expect(write(0x832, 0x40))
    #expect(read(0x832) == 0x1_0040)
    run(interrupted(0x51), { _, _ in .cpuid })
    #expect(unit.delivered == [])
    #expect(read(0x822) == 0)
  }

  @Test("Errors are seen in ESR after a write to it, and request the error's own vector")
  func errors() {
    #expect(write(0x837, 0x61))
    // A vector below 16 cannot be sent. SDM vol. 3, figure 11-9.
    #expect(write(0x830, 0x0f))
    #expect(processor.sent.isEmpty)
    #expect(read(0x828) == 0)
    #expect(read(0x823) == 1 << 1)
    #expect(write(0x828, 0))
    #expect(read(0x828) == 1 << 5)
    #expect(write(0x828, 0))
    #expect(read(0x828) == 0)
  }

  @Test("No vector below 16 is the real timer's")
  func illegalTimerVector() {
    #expect(write(0x832, 0x0f))
    #expect(read(0x832) == 0x0f)
    #expect(processor.msrs[0x832] == 0x1_000f)
    #expect(write(0x828, 0))
    #expect(read(0x828) == 1 << 6)
  }

  @Test("A level-triggered line is in TMR, and its EOI reaches the I/O APIC")
  func level() {
    cpu.takeLevel(0x51)
    #expect(read(0x81a) == 1 << 0x11)
    run({ _, _ in .cpuid })
    #expect(unit.delivered == [external(0x51)])
    #expect(write(0x80b, 0))
    #expect(read(0x81a) == 1 << 0x11, "as it came last")
    #expect(cpu.state.levelVectors.isEmpty)
  }

  @Test("What the real APIC had, the emulated one has; it is empty afterwards")
  func fromDirect() {
    choose(APUS_POLICY_DIRECT)
    processor.msrs[0x808] = 0x21
    processor.msrs[0x812] = 1 << 0x11
    processor.waiting = [0x33, 0x34]
    choose(APUS_POLICY_MONITOR)
    #expect(read(0x808) == 0x21)
    #expect(read(0x812) == 1 << 0x11)
    #expect(read(0x821) == 3 << 0x13)
    #expect(processor.msrs[0x812] == 0)
    #expect(processor.msrs[0x808] == 0)
  }

  @Test("The real APIC is the guest's again when nothing is in service, and requests what waits")
  func toDirect() {
    processor.waiting = [0x51]
    run(interrupted(0x31))
    #expect(write(0x808, 0xf0))
    choose(APUS_POLICY_DIRECT)
    #expect(cpu.isEmulated, "0x51 is in service")
    #expect(write(0x80b, 0))
    #expect(write(0x80b, 0))
    run({ _, _ in .cpuid })
    #expect(!cpu.isEmulated)
    #expect(!unit.interruptExiting)
    #expect(!processor.takesInterrupts)
    #expect(processor.selfInterrupts == [0x31])
    #expect(processor.msrs[0x808] == 0xf0)
    #expect(!unit.exits(0x80b).writes)
    #expect(cpu.control.statistics.timer_mode == APUS_TIMER_DIRECT.rawValue)
  }

  @Test("A vCPU that leaves its CPU keeps its mode, and what it was sent")
  func unbound() {
    #expect(write(0x808, 0x90))
    #expect(write(0x83f, 0x41))
    cpu.unbind()
    #expect(!processor.takesInterrupts)
    cpu.bind()
    #expect(processor.takesInterrupts)
    #expect(unit.interruptExiting)
    #expect(read(0x808) == 0x90)
    #expect(read(0x822) == 1 << 1)
  }

  @Test("INIT empties it")
  func initialized() {
    #expect(write(0x83f, 0x41))
    machine.cpu.ask(machine.cpu.target(0), .initialize)
    run({ _, _ in .cpuid })
    #expect(cpu.isEmulated)
    #expect(unit.delivered == [])
    #expect(cpu.state.apic.software.requests.isEmpty)
  }

  @Test("There is no other policy, and none without a local APIC")
  func refused() {
    #expect(cpu.chooseTimer(apus_timer_choice(policy: 3, reserved: 0)) == -22)
    #expect(cpu.chooseTimer(apus_timer_choice(policy: 256, reserved: 0)) == -22)
    #expect(cpu.chooseTimer(apus_timer_choice(policy: 0, reserved: 1)) == -22)
    #expect(cpu.chooseTimer(apus_timer_choice(policy: 2, reserved: 0)) == -95)
    let without = PretendedMachine(irqchip: false)
    withExtendedLifetime(without) {
      #expect(without.cpu.chooseTimer(apus_timer_choice(policy: 1, reserved: 0)) == -6)
    }
  }
}
