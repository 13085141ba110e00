// SPDX-License-Identifier: Apache-2.0
import Contract
import Emulator
import Testing
import X86

@testable import MonitorCore

/// The guest: 64-bit code, and tables at 0x8000 that map page 1 to 0x1000 and page 2 to 0x2000. RBX
/// points to the I/O APIC.
@Suite("Instructions that exit again")
struct InstructionSiteTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }
  var unit: PretendedUnit { machine.unit }
  static let ram = PretendedMachine.guestPhysical
  static let device = UInt64(0xfec0_0000)
  static let lastTable = UInt64(0xb000)
  /// MOV [RBX], EAX and MOV EAX, [RBX + 0x10].
  static let store: [UInt8] = [0x89, 0x03]
  static let load: [UInt8] = [0x8b, 0x43, 0x10]

  init() {
    machine.publish([.init(address: 0, size: 0x20_0000, physical: Self.ram)])
    cpu.followSlots()
    for (table, entry) in [(0x8000, 0x9007), (0x9000, 0xa007), (0xa000, 0xb007), (0xb008, 0x1007)]
      as [(UInt64, UInt64)]
    { machine.memory[Self.ram + table, as: UInt64.self] = entry }
    machine.memory[Self.ram + Self.lastTable + 16, as: UInt64.self] = 0x2007
    unit.cr3 = 0x8000
    unit.cr0 = 0x8000_0011
    unit.cr4 = 0x20
    unit.efer = 0x500
    unit[.cs] = Segment(attributes: SegmentAttributes(rawValue: 0xa09b))
    cpu.state.registers.rbx = Self.device
  }

  /// Puts the code at a physical address.
  func place(_ code: [UInt8], at address: UInt64 = 0x1000) {
    machine.memory.store(code, at: Self.ram + address)
  }

  /// Lets the instruction at `pointer` access the device. Says whether its move was known before.
  @discardableResult
  func access(_ offset: UInt64, write: Bool, at pointer: UInt64 = 0x1000) -> Bool {
    unit.instructionPointer = pointer
    let wasKnown = cpu.knownSite.map { $0.pointee.move.kind != .none } ?? false
    let fault = NestedFault(
      address: GuestPhysical(Self.device + offset), isWrite: write, isExecute: false)
    unit.steps = [{ _, _ in .nestedFault(fault) }]
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.exit_reason == UInt32(KVM_EXIT_HLT))
    return wasKnown
  }

  /// The I/O APIC's register select.
  var selected: UInt32 { cpu.withMachine { $0.controllers.ioapic.read(offset: 0) } }

  /// Stores a number: after that the move is known.
  func learn() {
    place(Self.store)
    access(0, write: true)
    unit.instructionPointer = 0x1000
    #expect(cpu.knownSite?.pointee.move.kind == .store)
  }

  @Test("A move is decoded once, and done each time")
  func again() {
    place(Self.store)
    for number in UInt64(1)...5 {
      cpu.state.registers.rax = number
      let wasKnown = access(0, write: true)
      #expect(selected == number)
      #expect(unit.instructionPointer == 0x1003, "MOV and HLT")
      #expect(wasKnown == (number > 1))
    }
  }

  @Test("Loads, constants and addresses without a base are done as they are decoded")
  func forms() {
    let rax = UInt64(0xffff_ffff_ffff_ffff)
    // MOV EAX, [RBX + 0x10]; MOV R9D, [0xfec0_0010] by a SIB; MOV RAX, [RIP + n]; MOV [RBX], 7.
    let version = [0x45, 0x8b, 0x0c, 0x25, 0x10, 0, 0xc0, 0xfe] as [UInt8]
    let relative = [0x48, 0x8b, 0x05, 0x09, 0xf0, 0xbf, 0xfe] as [UInt8]
    let constant = [0xc7, 0x03, 7, 0, 0, 0] as [UInt8]
    for code in [Self.load, version, relative] {
      place(code)
      cpu.withMachine { $0.controllers.writeIOAPIC(offset: 0, 1) }
      for round in 0..<4 {
        cpu.state.registers.rax = rax
        cpu.state.registers[9] = rax
        let wasKnown = access(0x10, write: false)
        let register = code == version ? cpu.state.registers[9] : cpu.state.registers.rax
        #expect(register == 0x17_0011, "24 pins, version 0x11: \(code), round \(round)")
        #expect(unit.instructionPointer == 0x1001 + UInt64(code.count))
        #expect(wasKnown == (round > 0))
      }
    }
    place(constant)
    for _ in 0..<4 {
      cpu.withMachine { $0.controllers.writeIOAPIC(offset: 0, 0) }
      access(0, write: true)
      #expect(selected == 7)
    }
  }

  @Test("Other bytes are another instruction")
  func bytes() {
    learn()
    place(Self.load)
    cpu.withMachine { $0.controllers.writeIOAPIC(offset: 0, 1) }
    #expect(!access(0x10, write: false))
    #expect(cpu.state.registers.rax == 0x17_0011)
  }

  @Test("A change in any level of the tables is seen", arguments: 0..<4)
  func tables(level: Int) {
    learn()
    // Another table, or page, with the same but for the code.
    let places: [UInt64] = [0x8000, 0x9000, 0xa000, Self.lastTable + 8]
    let copies: [(UInt64, UInt64)] = [(0xc000, 0xd007), (0xd000, 0xe007), (0xe008, 0x2007)]
    for (table, entry) in copies { machine.memory[Self.ram + table, as: UInt64.self] = entry }
    let others: [UInt64] = [0xc007, 0xd007, 0xe007, 0x2007]
    place(Self.load, at: 0x2000)
    machine.memory[Self.ram + places[level], as: UInt64.self] = others[level]
    cpu.withMachine { $0.controllers.writeIOAPIC(offset: 0, 1) }
    #expect(!access(0x10, write: false))
    #expect(cpu.state.registers.rax == 0x17_0011)
  }

  @Test("Another address space is another")
  func addressSpace() {
    learn()
    for (table, entry) in [(0xc000, 0xd007), (0xd000, 0xe007), (0xe000, 0xf007), (0xf008, 0x2007)]
      as [(UInt64, UInt64)]
    { machine.memory[Self.ram + table, as: UInt64.self] = entry }
    place(Self.load, at: 0x2000)
    unit.cr3 = 0xc000
    cpu.withMachine { $0.controllers.writeIOAPIC(offset: 0, 1) }
    #expect(!access(0x10, write: false))
    #expect(cpu.state.registers.rax == 0x17_0011)
  }

  @Test("Nothing is known of 32-bit code, in which the same bytes may be another instruction")
  func mode() {
    learn()
    unit[.cs] = Segment(attributes: SegmentAttributes(rawValue: 0xc09b), limit: .max)
    #expect(cpu.knownSite == nil)
    unit[.cs] = Segment(attributes: SegmentAttributes(rawValue: 0xa09b))
    #expect(cpu.knownSite != nil)
    unit.efer = 0x100
    #expect(cpu.knownSite == nil)
  }

  @Test("Memory that the client moves is looked up again")
  func slots() {
    learn()
    let other = Self.ram + 0x40_0000
    for address in stride(from: UInt64(0), to: 0x1_0000, by: 8) {
      machine.memory[other + address, as: UInt64.self] =
        machine.memory[Self.ram + address, as: UInt64.self]
    }
    machine.memory.store(Self.load, at: other + 0x1000)
    machine.publish([])
    cpu.followSlots()
    machine.publish([.init(address: 0, size: 0x20_0000, physical: other)])
    cpu.followSlots()
    cpu.withMachine { $0.controllers.writeIOAPIC(offset: 0, 1) }
    #expect(!access(0x10, write: false))
    #expect(cpu.state.registers.rax == 0x17_0011)
  }

  @Test("A move that is stepped over is not repeated, and a debugger sees it")
  func singleStep() {
    learn()
    unit.flags.insert(.trap)
    cpu.state.registers.rax = 9
    unit.instructionPointer = 0x1000
    let before = unit.singleSteps
    access(0, write: true)
    #expect(selected == 9)
    #expect(unit.singleSteps == before + 2, "MOV and HLT")
  }

  @Test("Two instructions of one place take turns")
  func collision() {
    #expect(InstructionSites.place(0x1000) == InstructionSites.place(0x1200))
    place(Self.store)
    place(Self.load, at: 0x1200)
    for number in UInt64(1)...4 {
      cpu.state.registers.rax = number & 1
      access(0, write: true)
      #expect(selected == number & 1)
      access(0x10, write: false, at: 0x1200)
      #expect(cpu.state.registers.rax == (number & 1 == 1 ? 0x17_0011 : 0))
    }
  }
}
