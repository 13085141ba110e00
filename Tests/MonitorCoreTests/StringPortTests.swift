// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

/// The guest: real mode, code at 0x1000, all segments at 0, memory from 0 to 2 MiB.
@Suite("INS and OUTS")
struct StringPortTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }
  static let ram = PretendedMachine.guestPhysical
  static let data: UInt64 = 2 << 20 + 0x1_1000

  init() {
    machine.publish([.init(address: 0, size: 0x20_0000, physical: Self.ram)])
    cpu.followSlots()
    for name in [SegmentName.cs, .ds, .es, .ss, .fs, .gs] {
      machine.unit[name] = Segment(attributes: .realModeData)
    }
    machine.unit.cr0 = 0x11
  }

  func run(_ code: [UInt8], _ access: PortAccess, _ registers: [UInt8: UInt64]) -> Int64 {
    machine.memory.store(code, at: Self.ram + 0x1000)
    machine.unit.instructionPointer = 0x1000
    for (number, value) in registers { cpu.state.registers[number] = value }
    machine.unit.steps = [{ _, _ in .port(access) }]
    return cpu.runGuest()
  }

  @Test("REP OUTSB hands its bytes over in one exit")
  func output() {
    machine.memory.store(Array("hello".utf8), at: Self.ram + 0x2000)
    let access = PortAccess(
      port: 0x3f8, size: 1, isInput: false, isString: true, isRepeated: true, addressSize: 2)
    #expect(run([0xf3, 0x6e], access, [1: 5, 6: 0x2000]) == 0)
    #expect(cpu.run.exit_reason == 2)
    #expect(cpu.run.io.count == 5)
    #expect(cpu.run.io.direction == 1)
    #expect((0..<5).map { machine.memory[Self.data + $0, as: UInt8.self] } == Array("hello".utf8))
    #expect(cpu.state.registers.rcx == 0)
    #expect(cpu.state.registers.rsi == 0x2005)
    #expect(machine.unit.instructionPointer == 0x1002)
  }

  @Test("A size that no processor names is nobody's")
  func noSize() {
    let access = PortAccess(
      port: 0x3f8, size: 0, isInput: false, isString: true, isRepeated: true, addressSize: 2)
    #expect(run([0xf3, 0x6e], access, [1: 5, 6: 0x2000]) == 0)
    #expect(cpu.run.exit_reason == 17, "KVM_EXIT_INTERNAL_ERROR")
  }

  @Test("REP INSW stores what the client read, and goes on in the next page")
  func input() {
    let access = PortAccess(
      port: 0x1f0, size: 2, isInput: true, isString: true, isRepeated: true, addressSize: 2)
    #expect(run([0xf3, 0x6d], access, [1: 4, 7: 0x2ffc]) == 0)
    #expect(cpu.run.io.count == 2)
    #expect(cpu.state.registers.rcx == 4, "nothing is done yet")
    machine.memory[Self.data, as: UInt32.self] = 0x4433_2211
    #expect(cpu.runGuest() == 0)
    #expect(machine.memory[Self.ram + 0x2ffc, as: UInt32.self] == 0x4433_2211)
    #expect(cpu.state.registers.rcx == 2)
    #expect(cpu.state.registers.rdi == 0x3000)
    #expect(machine.unit.instructionPointer == 0x1000, "not done yet")
    #expect(cpu.run.io.count == 2)
    machine.memory[Self.data, as: UInt32.self] = 0x8877_6655
    #expect(cpu.runGuest() == 0)
    #expect(machine.memory[Self.ram + 0x3000, as: UInt32.self] == 0x8877_6655)
    #expect(machine.unit.instructionPointer == 0x1003, "and HLT behind it")
  }

  @Test("Downwards it goes one element at a time")
  func down() {
    machine.memory.store([1, 2], at: Self.ram + 0x2000)
    machine.unit.flags = [.alwaysOne, .direction]
    let access = PortAccess(
      port: 0x80, size: 1, isInput: false, isString: true, isRepeated: true, addressSize: 2)
    #expect(run([0xf3, 0x6e], access, [1: 2, 6: 0x2001]) == 0)
    #expect(cpu.run.io.count == 1)
    #expect(machine.memory[Self.data, as: UInt8.self] == 2)
    #expect(cpu.state.registers.rsi == 0x2000)
    #expect(cpu.state.registers.rcx == 1)
    #expect(machine.unit.instructionPointer == 0x1000)
  }

  @Test("A count of 0 does nothing but step over the instruction")
  func empty() {
    let access = PortAccess(
      port: 0x80, size: 1, isInput: false, isString: true, isRepeated: true, addressSize: 2)
    #expect(run([0xf3, 0x6e], access, [1: 0x1_0000, 6: 0x2000]) == 0)
    #expect(cpu.run.exit_reason == 5)
    #expect(cpu.state.registers.rsi == 0x2000)
  }

  @Test("An instruction that is another one by now ends the guest, not the monitor")
  func changed() {
    let access = PortAccess(port: 0x80, size: 1, isInput: false, isString: true, addressSize: 2)
    #expect(run([0x90, 0x90], access, [:]) == 0)
    #expect(cpu.run.exit_reason == 17, "KVM_EXIT_INTERNAL_ERROR")
  }

  @Test("INS into a device writes it with what the client read")
  func device() {
    let access = PortAccess(port: 0x1f0, size: 2, isInput: true, isString: true, addressSize: 2)
    machine.unit[.es] = Segment(attributes: .realModeData, base: 0xd000_0000)
    #expect(run([0x6d], access, [2: 0x1f0, 7: 0x10]) == 0)
    #expect(cpu.run.exit_reason == 2)
    #expect(cpu.run.io.port == 0x1f0)
    machine.memory[Self.data, as: UInt16.self] = 0xabcd
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.exit_reason == 6)
    #expect(cpu.run.mmio.phys_addr == 0xd000_0010)
    #expect(cpu.run.mmio.len == 2)
    #expect(cpu.run.mmio.data.0 == 0xcd)
    #expect(cpu.run.mmio.data.1 == 0xab)
    #expect(cpu.state.registers.rdi == 0x12)
  }
}
