// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import Testing
import X86

@testable import VMX

@Suite("VT-x behind the unit protocol")
struct VMXUnitTests {
  @Test("A vCPU's region gets the revision, is cleared and becomes current")
  func load() throws {
    let guest = try PretendedGuest()
    #expect(guest.region[0, as: UInt32.self] == 0x2b)
    #expect(guest.instructions.trace == ["clear 98304", "load 98304"])
  }

  @Test("A prepared VMCS intercepts every MSR and has EPT, a VPID and no shadow VMCS")
  func prepared() throws {
    let guest = try PretendedGuest()
    #expect(guest[0x201a] == 0x501e)
    #expect(guest[0x2000] == 0x2000 && guest[0x2002] == 0x3000)
    #expect(guest[0x2004] == 0x19000)
    #expect(guest[0x0] != 0)
    #expect(guest[0x2800] == .max)
    // PAT after reset, SDM vol. 3, table 12-12.
    #expect(guest[0x2804] == 0x0007_0406_0007_0406)
    #expect(guest[0x4004] == 1 << 1 | 1 << 17 | 1 << 18)
    #expect((0..<4096).allSatisfy { guest.bitmap[$0, as: UInt8.self] == 0xff })
  }

  @Test("The first entry launches and forgets old translations, the next one resumes")
  func enter() throws {
    let guest = try PretendedGuest()
    guest.instructions.trace = []
    guest.instructions.guest = { pretended, registers in
      pretended.fields[0x4402] = 10
      #expect(pretended.fields[0x681c] == 0xaaaa)
      pretended.fields[0x681c] = 0xbbbb
      registers.pointee.rbx = 0x3333
      return .exited
    }
    var registers = GuestRegisters()
    guest.unit.stackPointer = 0xaaaa
    #expect(guest.enter(&registers, unlessNMISince: 5) == .cpuid)
    #expect(guest.unit.stackPointer == 0xbbbb)
    #expect(registers.rbx == 0x3333)
    guest.unit.stackPointer = 0xaaaa
    #expect(guest.enter(&registers, unlessNMISince: 6) == .cpuid)
    #expect(guest.instructions.trace == ["invalidate 501e single", "launch 5", "resume 6"])
  }

  @Test("An entry that an NMI prevents is an NMI's exit, and keeps what it was to deliver")
  func prevented() throws {
    let guest = try PretendedGuest()
    guest[0x4408] = 0x8000_0031
    guest.instructions.guest = { _, _ in .prevented }
    guest.unit.injection = Event(kind: .external, vector: 0x41)
    var registers = GuestRegisters()
    guest.unit.stackPointer = 0xaaaa
    #expect(guest.enter(&registers, unlessNMISince: 0) == .nonMaskableInterrupt)
    #expect(guest.unit.injection == Event(kind: .external, vector: 0x41))
    #expect(guest.unit.takeInterruptedEvent() == nil, "an old exit's")
    #expect(guest.unit.stackPointer == 0xaaaa)
    #expect(guest.unit.exitCode == 0)
    // It was not launched, and its NMI was taken in root mode.
    #expect(guest.exit([0x4402: 10]) == .cpuid)
    #expect(guest.instructions.trace.suffix(2) == ["launch 0", "launch 0"])
    #expect(!guest.instructions.trace.contains("iret"))
  }

  @Test("A refused entry gives its error or reason and is not a launch")
  func refused() throws {
    let guest = try PretendedGuest()
    guest[0x4400] = 7
    guest.instructions.guest = { _, _ in .failed }
    var registers = GuestRegisters()
    #expect(guest.enter(&registers, unlessNMISince: 0) == .invalidState)
    #expect(guest.unit.exitCode == 7)
    #expect(guest.exit([0x4402: 0x8000_0021, 0x4408: 0x8000_0031]) == .invalidState)
    #expect(guest.unit.exitCode == 0x8000_0021)
    #expect(guest.unit.takeInterruptedEvent() == nil)
    _ = guest.exit([0x4402: 10])
    #expect(guest.instructions.trace.filter { $0.hasPrefix("launch") }.count == 3)
  }

  @Test("After an NMI's exit an IRET lets NMIs in again, after others none is needed")
  func unblocks() throws {
    let guest = try PretendedGuest()
    _ = guest.exit([0x4402: 10])
    #expect(!guest.instructions.trace.contains("iret"))
    #expect(guest.exit([0x4402: 0, 0x4404: 0x8000_0202]) == .nonMaskableInterrupt)
    #expect(guest.instructions.trace.last == "iret")
  }

  @Test("A machine check is handled in root mode, from the guest and from a failed entry")
  func machineChecks() throws {
    let guest = try PretendedGuest()
    _ = guest.exit([0x4402: 0, 0x4404: 0x8000_0312])
    #expect(guest.instructions.trace.last == "machine check")
    guest.instructions.trace = []
    _ = guest.exit([0x4402: 0x8000_0029])
    #expect(guest.instructions.trace.last == "machine check")
  }

  @Test("An INIT that takes the CPU ends VMX operation")
  func initialize() throws {
    let guest = try PretendedGuest()
    _ = guest.exit([0x4402: 3])
    #expect(guest.instructions.trace.last == "surrender")
  }

  @Test("An event that was cut short is handed over once, with its error code")
  func interruptedEvent() throws {
    let guest = try PretendedGuest()
    _ = guest.exit([0x4402: 48, 0x4408: 0x8000_0b0e, 0x440a: 2])
    #expect(
      guest.unit.takeInterruptedEvent() == Event(kind: .exception, vector: 14, errorCode: 2))
    #expect(guest.unit.takeInterruptedEvent() == nil)
  }

  @Test("The further information is the address of an EPT violation, else the qualification")
  func information() throws {
    let guest = try PretendedGuest()
    _ = guest.exit([0x4402: 48, 0x2400: 0xfee0_0000, 0x6400: 0x182])
    #expect(guest.unit.exitInformation == 0xfee0_0000)
    _ = guest.exit([0x4402: 30])
    #expect(guest.unit.exitInformation == 0x182)
    #expect(guest.unit.exitCode == 30)
  }

  @Test("MSRs that VT-x does not switch are the CPU's while a vCPU is on it, and then its own")
  func lentMSRs() throws {
    let guest = try PretendedGuest()
    let numbers = [0xc000_0081, 0xc000_0082, 0xc000_0083, 0xc000_0084, 0xc000_0102] as [UInt32]
    for number in numbers {
      #expect(guest.unit.writeMSR(MSR(rawValue: number), UInt64(number) << 8))
      #expect(guest.instructions.msrs[number] == UInt64(number) << 8)
    }
    guest.instructions.cr2 = 0x1234
    guest.instructions.dr6 = 0xffff_0ff1
    guest.unit.unload()
    for number in numbers { #expect(guest.instructions.msrs[number] == 0) }
    guest.instructions.cr2 = 0
    guest.instructions.dr6 = 0
    guest.unit.load()
    for number in numbers {
      #expect(guest.unit.readMSR(MSR(rawValue: number)) == UInt64(number) << 8)
    }
    #expect(guest.unit.cr2 == 0x1234)
    #expect(guest.unit.dr6 == 0xffff_0ff1)
  }

  @Test("MSRs that the VMCS holds are found there, others are not its own")
  func msrs() throws {
    let guest = try PretendedGuest()
    let held: [(UInt32, UInt32, UInt64)] = [
      (0x174, 0x482a, 0x10), (0x175, 0x6824, 0xffff_8000_0000_1000), (0x176, 0x6826, 0x1000),
      (0x277, 0x2804, 0x0007_0106_0007_0106), (0xc000_0100, 0x680e, 0x7fff_ffff_f000),
      (0xc000_0101, 0x6810, 0xffff_8880_0000_0000),
    ]
    for (msr, field, value) in held {
      #expect(guest.unit.writeMSR(MSR(rawValue: msr), value))
      #expect(guest[field] == value)
      #expect(guest.unit.readMSR(MSR(rawValue: msr)) == value)
    }
    for msr in [0x1b, 0x10, 0xc000_0080, 0xc000_0103] as [UInt32] {
      #expect(guest.unit.readMSR(MSR(rawValue: msr)) == nil)
      #expect(!guest.unit.writeMSR(MSR(rawValue: msr), 0))
    }
  }

  @Test("A value with which an entry would fail or WRMSR fault is refused")
  func refusedMSRs() throws {
    let guest = try PretendedGuest()
    for msr in [0x175, 0x176, 0xc000_0100, 0xc000_0101] as [UInt32] {
      #expect(!guest.unit.writeMSR(MSR(rawValue: msr), 0x8000_0000_0000))
    }
    for pat in [2, 3, 8, 0x0200, 0x03 << 56] as [UInt64] {
      #expect(!guest.unit.writeMSR(MSR(rawValue: 0x277), pat))
    }
    guest.instructions.refused = [0xc000_0082]
    #expect(!guest.unit.writeMSR(MSR(rawValue: 0xc000_0082), 1 << 63))
  }

  @Test("Tables and registers have their fields")
  func registers() throws {
    let guest = try PretendedGuest()
    guest.unit.gdt = DescriptorTable(limit: 0x7f, base: 0xffff_8000_0000_1000)
    guest.unit.idt = DescriptorTable(limit: 0xfff, base: 0xfffe_0000)
    #expect(guest[0x4810] == 0x7f && guest[0x6816] == 0xffff_8000_0000_1000)
    #expect(guest[0x4812] == 0xfff && guest[0x6818] == 0xfffe_0000)
    #expect(guest.unit.gdt == DescriptorTable(limit: 0x7f, base: 0xffff_8000_0000_1000))
    guest.unit.flags = [.alwaysOne, .interruptEnable]
    guest.unit.cr3 = 0x1000
    guest.unit.dr7 = 0x400
    #expect(guest[0x6820] == 0x202 && guest[0x6802] == 0x1000 && guest[0x681a] == 0x400)
    guest.unit[.ss] = Segment(selector: 0x2b, attributes: SegmentAttributes(rawValue: 0xc0f3))
    #expect(guest.unit.privilegeLevel == 3)
    guest.unit.setPageDirectoryPointers([1, 2, 3, 4])
    #expect([0x280a, 0x280c, 0x280e, 0x2810].map { guest[$0] } == [1, 2, 3, 4])
  }
}
