// SPDX-License-Identifier: Apache-2.0
import Contract
import Devices
import Testing
import X86

@testable import MonitorCore

@Suite("Ports")
struct PortPolicyTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }
  static let area: UInt64 = 2 << 20 + 0x1_0000

  /// Runs one access; the guest then halts.
  func run(_ access: PortAccess, rax: UInt64 = 0) -> Int64 {
    machine.unit.exitInstructionLength = 2
    machine.unit.steps = [
      { _, registers in
        registers.rax = rax
        return .port(access)
      }
    ]
    return cpu.runGuest()
  }

  @Test("An output that is not the monitor's goes to the client with its data")
  func output() {
    machine.unit.instructionPointer = 0x1000
    #expect(run(PortAccess(port: 0x3f8, size: 1, isInput: false), rax: 0x1122_3344) == 0)
    #expect(cpu.run.exit_reason == 2, "KVM_EXIT_IO")
    #expect(cpu.run.io.direction == 1)
    #expect(cpu.run.io.port == 0x3f8)
    #expect(cpu.run.io.size == 1)
    #expect(cpu.run.io.count == 1)
    #expect(cpu.run.io.data_offset == 4096)
    #expect(machine.memory[Self.area + 4096, as: UInt8.self] == 0x44)
    #expect(machine.unit.instructionPointer == 0x1002)
  }

  @Test(
    "An input takes as much of the client's data as the instruction asked for",
    arguments: [
      (1, 0x1122_3344_5566_77ff), (2, 0x1122_3344_5566_eeff), (4, 0xccdd_eeff),
    ] as [(UInt8, UInt64)])
  func input(size: UInt8, expected: UInt64) {
    let access = PortAccess(port: 0xcfc, size: size, isInput: true)
    #expect(run(access, rax: 0x1122_3344_5566_7788) == 0)
    #expect(cpu.run.io.direction == 0)
    machine.memory[Self.area + 4096, as: UInt64.self] = 0x8899_aabb_ccdd_eeff
    #expect(cpu.runGuest() == 0)
    #expect(cpu.state.registers.rax == expected)
    #expect(cpu.run.exit_reason == 5, "KVM_EXIT_HLT")
  }

  @Test("What the client writes elsewhere into its page moves nothing")
  func hostileClient() {
    #expect(run(PortAccess(port: 0x60, size: 1, isInput: true), rax: 0) == 0)
    cpu.run.io.data_offset = .max
    cpu.run.io.size = 200
    cpu.run.io.count = .max
    cpu.run.io.port = 0x20
    machine.memory[Self.area + 4096, as: UInt8.self] = 0x5a
    #expect(cpu.runGuest() == 0)
    #expect(cpu.state.registers.rax == 0x5a)
  }

  @Test(
    "Interrupt controllers and timer are the monitor's, byte by byte",
    arguments: [0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x61] as [UInt16])
  func owned(port: UInt16) {
    #expect(run(PortAccess(port: port, size: 1, isInput: true), rax: 0x4411) == 0)
    #expect(cpu.run.exit_reason == 5)
    #expect(cpu.state.registers.rax >> 8 == 0x44)
    #expect(cpu.control.statistics.exits.4 == 1)
  }

  @Test("Without an interrupt controller in the kernel those ports are the client's")
  func userspaceController() {
    let machine = PretendedMachine(irqchip: false)
    machine.unit.exitInstructionLength = 2
    machine.unit.steps = [{ _, _ in .port(PortAccess(port: 0x20, size: 1, isInput: false)) }]
    #expect(machine.cpu.runGuest() == 0)
    #expect(machine.cpu.run.exit_reason == 2)
  }

  @Test("A PIC that is programmed through its ports reads back its mask")
  func programmed() {
    #expect(run(PortAccess(port: 0x21, size: 1, isInput: false), rax: 0xfb) == 0)
    #expect(run(PortAccess(port: 0x21, size: 1, isInput: true)) == 0)
    #expect(cpu.state.registers.rax & 0xff == 0xfb)
  }
}
