// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("Requests of the driver and of other vCPUs")
struct RequestTests {
  let machine = PretendedMachine(cpus: 2)

  @Test("A request to stop ends KVM_RUN with EINTR before the guest runs")
  func stop() {
    machine.cpu.control.requests = APUS_REQUEST_EXIT.rawValue
    #expect(machine.cpu.runGuest() == -4)
    #expect(machine.cpu.run.exit_reason == 10, "KVM_EXIT_INTR")
    #expect(machine.cpu.control.statistics.entries == 0)
    #expect(machine.cpu.control.requests == 0)
  }

  @Test("So does immediate_exit, after a pending access is finished")
  func immediateExit() {
    machine.cpu.state.pendingPort = PortAccess(port: 0x60, size: 1, isInput: true)
    machine.memory[2 << 20 + 0x1_1000, as: UInt8.self] = 7
    machine.cpu.run.immediate_exit = 1
    #expect(machine.cpu.runGuest() == -4)
    #expect(machine.cpu.state.registers.rax == 7)
    #expect(machine.cpu.control.statistics.entries == 0)
  }

  @Test("A request that comes while the guest runs is seen after the exit")
  func during() {
    let cpu = machine.cpu
    machine.unit.steps = [
      { _, _ in
        cpu.control.requests = APUS_REQUEST_EXIT.rawValue
        return .nonMaskableInterrupt
      }
    ]
    #expect(cpu.runGuest() == -4)
    #expect(cpu.control.statistics.entries == 1)
    #expect(cpu.control.statistics.exits.0 == 1)
  }

  @Test("KVM_NMI is delivered once, as vector 2")
  func nmi() {
    machine.cpu.control.requests = APUS_REQUEST_NMI.rawValue
    #expect(machine.cpu.runGuest() == 0)
    #expect(machine.unit.delivered == [Event(kind: .nonMaskable, vector: 2)])
  }

  @Test("Two NMIs are kept, of which a guest that handles one gets the second afterwards")
  func twoNMIs() {
    let both = APUS_REQUEST_NMI.rawValue | APUS_REQUEST_SECOND_NMI.rawValue
    machine.unit.steps = [
      { [machine] unit, _ in
        unit.nmiBlocked = true
        machine.cpu.control.requests = both
        return .nonMaskableInterrupt
      },
      { unit, _ in
        #expect(unit.delivered.count == 1)
        #expect(unit.nmiWindowExiting)
        unit.nmiBlocked = false
        return .interruptWindow
      },
      { unit, _ in .nonMaskableInterrupt },
    ]
    machine.cpu.control.requests = both
    #expect(machine.cpu.runGuest() == 0)
    let nmi = Event(kind: .nonMaskable, vector: 2)
    #expect(machine.unit.delivered == [nmi, nmi])
    #expect(machine.cpu.state.pendingNMIs == 0)
  }

  @Test("An NMI does not come behind STI or MOV SS, and before an interrupt of the PICs")
  func nmiOrder() {
    machine.unit.flags = [.alwaysOne, .interruptEnable]
    machine.unit.interruptShadow = true
    machine.unit.injection = Event(kind: .external, vector: 0x31)
    machine.unit.steps = [
      { unit, _ in
        #expect(unit.delivered == [])
        unit.interruptShadow = false
        return .interruptWindow
      },
      { unit, _ in .nonMaskableInterrupt },
    ]
    machine.cpu.control.requests = APUS_REQUEST_NMI.rawValue
    #expect(machine.cpu.runGuest() == 0)
    #expect(
      machine.unit.delivered == [
        Event(kind: .nonMaskable, vector: 2), Event(kind: .external, vector: 0x31),
      ])
  }

  @Test("An NMI that another vCPU sends before the first was taken is a second one")
  func secondNMI() {
    let command = InterruptCommand(vector: 0, destination: 1, mode: .nonMaskable)
    #expect(machine.cpu.send(command))
    #expect(machine.cpu.send(command))
    let expected: VCPURequest = [.nonMaskableInterrupt, .secondNMI]
    #expect(machine.cpu.machine.requests[1] == expected.rawValue)
  }

  @Test("An NMI waits while another event is to be delivered, and while the guest blocks it")
  func nmiWaits() {
    machine.unit.injection = Event(kind: .exception, vector: 6)
    machine.unit.steps = [
      { unit, _ in
        unit.nmiBlocked = true
        return .nonMaskableInterrupt
      },
      { unit, _ in
        unit.nmiBlocked = false
        return .nonMaskableInterrupt
      },
    ]
    machine.cpu.control.requests = APUS_REQUEST_NMI.rawValue
    #expect(machine.cpu.runGuest() == 0)
    #expect(
      machine.unit.delivered == [
        Event(kind: .exception, vector: 6), Event(kind: .nonMaskable, vector: 2),
      ])
    #expect(machine.cpu.control.statistics.entries == 3)
  }

  /// What Linux does to start a processor: INIT, then SIPI for page 0x9a.
  @Test("A processor waits for INIT and SIPI, and starts where the vector says")
  func startUp() {
    let (boot, other) = (machine.cpus[0], machine.cpus[1])
    #expect(boot.setAPICBase(APICBase(rawValue: 0xfee0_0d00), by: .guest))
    #expect(other.state.activity == .uninitialized)
    machine.processors[1].onSleep = {
      if other.control.statistics.entries == 0, other.processor.sleeps == 1 {
        _ = boot.writeMSR(MSR(rawValue: 0x830), 0x1_0000_4500, by: .guest)
      } else {
        _ = boot.writeMSR(MSR(rawValue: 0x830), 0x1_0000_469a, by: .guest)
      }
    }
    machine.units[1].steps = [
      { unit, _ in
        #expect(unit.instructionPointer == 0)
        #expect(unit[.cs].base == 0x9_a000)
        #expect(unit[.cs].selector == 0x9a00)
        #expect(unit.cr0 == 0x6000_0010)
        return .halt
      }
    ]
    #expect(other.runGuest() == 0)
    #expect(other.state.activity == .running)
    #expect(machine.processors[1].sleeps == 2)
  }

  @Test("A second SIPI is ignored")
  func secondSIPI() {
    let other = machine.cpus[1]
    other.state.activity = .running
    machine.units[1].instructionPointer = 0x1234
    other.machine.requests[1] = VCPURequest.startUp.rawValue
    machine.units[1].steps = [
      { unit, _ in
        #expect(unit.instructionPointer == 0x1234)
        return .halt
      }
    ]
    #expect(other.runGuest() == 0)
  }

  @Test("INIT brings a processor back to its first state")
  func initialize() {
    let other = machine.cpus[1]
    other.state.activity = .running
    other.state.registers.rax = 5
    machine.units[1].cr0 = 0x8000_0011
    machine.units[1].efer = 0x500
    other.machine.requests[1] = VCPURequest.initialize.rawValue
    let drains = machine.processors[1].drains
    other.control.requests = APUS_REQUEST_EXIT.rawValue
    #expect(other.runGuest() == -4)
    #expect(other.state.activity == .waitingForStartUp)
    #expect(other.state.registers.rax == 0)
    #expect(other.state.registers.rdx == 0x600)
    #expect(machine.units[1].cr0 == 0x6000_0010)
    #expect(machine.units[1].efer == 0)
    #expect(machine.units[1].instructionPointer == 0xfff0)
    #expect(machine.processors[1].drains == drains + 1)
  }

  @Test("INIT masks the local vectors again, and forgets interrupts that waited")
  func initializeAPIC() {
    let other = machine.cpus[1]
    other.state.activity = .running
    other.writeXAPIC(.lvtLINT0, 0x700)
    other.writeXAPIC(.logicalDestination, 0x0200_0000)
    other.state.pendingNMIs = 2
    other.takeLevel(0x51)
    other.machine.requests[1] = VCPURequest.initialize.rawValue
    other.control.requests = APUS_REQUEST_EXIT.rawValue
    #expect(other.runGuest() == -4)
    #expect(other.readXAPIC(.lvtLINT0) == 0x1_0000)
    #expect(other.readXAPIC(.logicalDestination) == 0)
    #expect(other.state.pendingNMIs == 0)
    #expect(other.state.levelVectors.isEmpty)
  }
}
