// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import Testing
import X86

@testable import VMX

@Suite("What a guest on VT-x is given and can take")
struct VMXEventTests {
  @Test("An event waits in the VMCS until an entry delivers it")
  func injection() throws {
    let guest = try PretendedGuest()
    guest[0x6800] = 0x31
    guest.unit.injection = Event(kind: .exception, vector: 14, errorCode: 2)
    #expect(guest[0x4016] == 0x8000_0b0e && guest[0x4018] == 2)
    #expect(guest.unit.injection == Event(kind: .exception, vector: 14, errorCode: 2))
    _ = guest.exit([0x4402: 10])
    #expect(guest.unit.injection == nil)
    guest.unit.injection = Event(kind: .external, vector: 0x20)
    guest.unit.injection = nil
    #expect(guest.unit.injection == nil)
  }

  /// Table 25-3: blocking by STI 0, by MOV SS 1, by NMI 3.
  @Test("The shadow is STI's with IF set and MOV SS's without, as an entry demands")
  func shadow() throws {
    let guest = try PretendedGuest()
    guest[0x4826] = 1
    guest.unit.flags = [.alwaysOne, .interruptEnable]
    guest.unit.interruptShadow = true
    #expect(guest[0x4824] == 1)
    #expect(guest[0x4826] == 0, "it is not halted")
    guest.unit.flags = .alwaysOne
    guest.unit.interruptShadow = true
    #expect(guest[0x4824] == 2)
    #expect(!guest.unit.acceptsNMI)
    guest[0x4824] |= 8
    guest.unit.interruptShadow = false
    #expect(guest[0x4824] == 8)
    #expect(guest.unit.nmiBlocked)
  }

  @Test("An NMI whose delivery was cut short can be delivered again")
  func interruptedNMI() throws {
    let guest = try PretendedGuest()
    guest[0x4824] = 8
    guest.unit.injection = Event(kind: .nonMaskable, vector: 2)
    #expect(guest[0x4824] == 0)
    #expect(guest[0x4016] == 0x8000_0202)
  }

  @Test("An NMI window is a control, and its exit closes it")
  func nmiWindow() throws {
    let guest = try PretendedGuest()
    guest.unit.nmiWindowExiting = true
    #expect(guest[0x4002] & 1 << 22 != 0)
    #expect(guest.exit([0x4402: 8]) == .interruptWindow)
    #expect(guest[0x4002] & 1 << 22 == 0)
  }

  @Test("An interrupt window exits from HLT too")
  func interruptWindow() throws {
    let guest = try PretendedGuest()
    guest.unit.interruptWindowExiting = true
    #expect(guest[0x4002] & (1 << 2 | 1 << 7) == 1 << 2 | 1 << 7)
    #expect(!guest.unit.haltExiting)
    guest.unit.interruptWindowExiting = false
    #expect(guest[0x4002] & (1 << 2 | 1 << 7) == 0)
  }

  @Test("HLT under an open window is done for the guest, which halts on with IF clear only")
  func haltUnderWindow() throws {
    let guest = try PretendedGuest()
    guest.unit.interruptWindowExiting = true
    for (flags, activity) in [(0x202, 0), (0x2, 1)] as [(UInt64, UInt64)] {
      let exit = guest.exit([
        0x4402: 12, 0x681e: 0x1000, 0x440c: 1, 0x6820: flags, 0x4824: flags == 0x202 ? 1 : 0,
      ])
      #expect(exit == .interruptWindow)
      #expect(guest[0x681e] == 0x1001)
      #expect(guest[0x4824] == 0)
      #expect(guest[0x4826] == activity)
    }
  }

  @Test("HLT is the client's where it asked for it, with and without a window")
  func haltExiting() throws {
    let guest = try PretendedGuest()
    guest.unit.haltExiting = true
    #expect(guest[0x4002] & 1 << 7 != 0)
    #expect(guest.exit([0x4402: 12]) == .halt)
    guest.unit.interruptWindowExiting = true
    guest.unit.interruptWindowExiting = false
    #expect(guest[0x4002] & 1 << 7 != 0)
    guest.unit.haltExiting = false
    #expect(guest[0x4002] & 1 << 7 == 0)
  }

  /// 28.2.3: bit 12 of the qualification and of the interruption information.
  @Test("NMIs that an IRET had let in are blocked again before it is executed again")
  func interruptedIRET() throws {
    let guest = try PretendedGuest()
    _ = guest.exit([0x4402: 48, 0x6400: 0x1181])
    #expect(guest.unit.nmiBlocked)
    guest.unit.nmiBlocked = false
    _ = guest.exit([0x4402: 48, 0x6400: 0x181])
    #expect(!guest.unit.nmiBlocked)
    _ = guest.exit([0x4402: 0, 0x4404: 0x8000_1b11])
    #expect(guest.unit.nmiBlocked)
    guest.unit.nmiBlocked = false
    _ = guest.exit([0x4402: 48, 0x6400: 0x1181, 0x4408: 0x8000_0202])
    #expect(!guest.unit.nmiBlocked, "an NMI was being delivered")
  }

  /// Table 28-1: B0 to B3 0 to 3, BD 13, BS 14. DR7.GD is bit 13.
  @Test("A #DB that exits sets DR6 as its delivery would have, and clears DR7.GD")
  func debugException() throws {
    let guest = try PretendedGuest()
    guest.instructions.dr6 = 0xffff_0ff2
    guest[0x681a] = 0x2400
    let exit = guest.exit([0x4402: 0, 0x4404: 0x8000_0301, 0x6400: 0x4001])
    #expect(exit == .exception)
    #expect(guest.unit.exitException == ExitException(vector: 1, errorCode: 0))
    #expect(guest.unit.dr6 == 0xffff_4ff1)
    #expect(guest.unit.dr7 == 0x400)
  }

  @Test("INT1 has run when its #DB exits")
  func debugTrap() throws {
    let guest = try PretendedGuest()
    _ = guest.exit([0x4402: 0, 0x4404: 0x8000_0501, 0x681e: 0x1000, 0x440c: 1])
    #expect(guest[0x681e] == 0x1001)
    _ = guest.exit([0x4402: 0, 0x4404: 0x8000_0301, 0x681e: 0x2000, 0x440c: 1])
    #expect(guest[0x681e] == 0x2000)
  }

  @Test("A single step under a shadow leaves BS pending, as an entry demands")
  func pendingStep() throws {
    let guest = try PretendedGuest()
    _ = guest.exit([0x4402: 0, 0x4404: 0x8000_0301, 0x6820: 0x302, 0x4824: 1])
    #expect(guest[0x6822] == 1 << 14)
    guest[0x6822] = 0
    _ = guest.exit([0x4402: 0, 0x4404: 0x8000_0301, 0x6820: 0x302, 0x4824: 0])
    #expect(guest[0x6822] == 0)
  }

  @Test("Setting RIP wakes a halted guest")
  func wakes() throws {
    let guest = try PretendedGuest()
    guest[0x4826] = 1
    guest.unit.instructionPointer = 0x7c00
    #expect(guest[0x4826] == 0)
  }
}
