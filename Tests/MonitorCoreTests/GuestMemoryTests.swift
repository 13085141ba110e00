// SPDX-License-Identifier: Apache-2.0
import Contract
import Emulator
import Testing
import X86

@testable import MonitorCore

/// Guest memory: 0 to 0x1_0000, and from there to 0x1_1000 read-only.
@Suite("A guest's memory through the window")
struct GuestMemoryTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }
  var unit: PretendedUnit { machine.unit }
  static let ram = PretendedMachine.guestPhysical

  init() {
    machine.publish([
      .init(address: 0, size: 0x1_0000, physical: Self.ram),
      .init(address: 0x1_0000, size: 0x1000, physical: Self.ram + 0x1_0000, isReadOnly: true),
    ])
    cpu.followSlots()
  }

  @Test("Values are little-endian, of any size and alignment inside a page")
  func values() {
    #expect(cpu.memory.write(0x1003, 0x1122_3344_5566_7788, size: 8))
    #expect(machine.memory[Self.ram + 0x1003, as: UInt64.self] == 0x1122_3344_5566_7788)
    for size in 1...8 {
      let mask = UInt64.max >> UInt64(64 - size * 8)
      #expect(cpu.memory.read(0x1003, size: size) == 0x1122_3344_5566_7788 & mask)
      #expect(cpu.memory.write(0x2000, .max, size: size))
      #expect(machine.memory[Self.ram + 0x2000, as: UInt64.self] == mask)
    }
  }

  @Test("Nothing else of the machine can be reached")
  func outside() {
    #expect(cpu.memory.read(0x1_1000, size: 1) == nil)
    #expect(cpu.memory.read(GuestPhysical(Self.ram), size: 8) == nil)
    #expect(cpu.memory.read(GuestPhysical(.max), size: 1) == nil)
    #expect(!cpu.memory.write(0x1_1000, 0, size: 1))
    #expect(!cpu.memory.write(0x1_0000, 1, size: 1), "read-only")
    #expect(cpu.memory.read(0xffe, size: 4) == nil, "across pages")
  }

  @Test("The monitor's own structures may cross pages, and end where memory ends")
  func structures() {
    cpu.writePhysical(0xffe, 0x1122_3344_5566_7788)
    #expect(machine.memory[Self.ram + 0xffe, as: UInt64.self] == 0x1122_3344_5566_7788)
    cpu.writePhysical(0xfffe, .max)
    #expect(machine.memory[Self.ram + 0xfffe, as: UInt16.self] == .max)
    #expect(machine.memory[Self.ram + 0x1_0000, as: UInt32.self] == 0, "read-only")
    cpu.writePhysical(GuestPhysical(.max), 1)
  }

  func store(_ bytes: [UInt8], at address: UInt64) {
    machine.memory.store(bytes, at: Self.ram + address)
  }

  /// Real mode with CS at 0x1000.
  @Test("Code is fetched over a page's end, and up to where memory ends")
  func fetch() {
    unit[.cs] = Segment(attributes: .realModeCode, base: 0x1000)
    store(Array(1...20), at: 0x1ff8)
    unit.instructionPointer = 0xff8
    let bytes = cpu.fetchInstruction(.bits16)
    #expect(
      bytes == InstructionBytes(low: 0x0807_0605_0403_0201, high: 0x0f_0e0d_0c0b_0a09, count: 15))
    unit.instructionPointer = 0xfff8
    #expect(cpu.fetchInstruction(.bits16).count == 8)
    unit.instructionPointer = 0x1_0000
    #expect(cpu.fetchInstruction(.bits16).count == 0)
  }

  @Test("In long mode code is found through the guest's tables, page by page")
  func longMode() {
    // One table for each level, the last at 0xb000: page 0 at 0x2000, page 1 at 0x1000.
    for (table, entry) in [(0x8000, 0x9007), (0x9000, 0xa007), (0xa000, 0xb007), (0xb000, 0x2007)]
      as [(UInt64, UInt64)]
    { machine.memory[Self.ram + table, as: UInt64.self] = entry }
    machine.memory[Self.ram + 0xb008, as: UInt64.self] = 0x1007
    unit.cr3 = 0x8000
    unit.cr0 = 0x8000_0011
    unit.cr4 = 0x20
    unit.efer = 0x500
    unit[.cs] = Segment(attributes: SegmentAttributes(rawValue: 0xa09b), base: 0x5000)
    store([1, 2], at: 0x2ffe)
    store([3, 4], at: 0x1000)
    unit.instructionPointer = 0xffe
    let bytes = cpu.fetchInstruction(.bits64)
    #expect(bytes.count == 15)
    #expect(bytes.low & 0xffff_ffff == 0x0403_0201)
    #expect(cpu.codeSize == .bits64)
    machine.memory[Self.ram + 0xb008, as: UInt64.self] = 0
    #expect(cpu.fetchInstruction(.bits64).count == 2)
    // Supervisor pages are not fetched from at privilege level 3.
    machine.memory[Self.ram + 0xb000, as: UInt64.self] = 0x2003
    unit.privilegeLevel = 3
    #expect(cpu.fetchInstruction(.bits64).count == 0)
  }

  @Test("The size of code is that of CS, and 64 bits only in long mode")
  func codeSize() {
    unit[.cs] = Segment(attributes: SegmentAttributes(rawValue: 0x9b))
    #expect(cpu.codeSize == .bits16)
    unit[.cs] = Segment(attributes: SegmentAttributes(rawValue: 0xc09b))
    #expect(cpu.codeSize == .bits32)
    unit[.cs] = Segment(attributes: SegmentAttributes(rawValue: 0x209b))
    #expect(cpu.codeSize == .bits16)
    unit.efer = 0x500
    #expect(cpu.codeSize == .bits64)
  }
}
