// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

@testable import VMX

@Suite("A guest's control registers")
struct GuestControlRegisterTests {
  @Test("A guest has all of CR0 but NE, NW and CD, and may leave and enter paging by itself")
  func cr0() {
    #expect(GuestControlRegisters.ownedCR0 == 0x9fff_ffdf)
    // After INIT: CD, NW, ET. The real register has the caches on, and NE as VMX demands.
    #expect(GuestControlRegisters.realCR0(0x6000_0010) == 0x30)
    #expect(GuestControlRegisters.realCR0(0x8005_0033) == 0x8005_0033)
  }

  /// VME 0, PVI 1, TSD 2, DE 3, PSE 4, PAE 5, MCE 6, PGE 7, PCE 8, OSFXSR 9, OSXMMEXCPT 10, UMIP 11,
  /// LA57 12, VMXE 13, SMXE 14, FSGSBASE 16, PCIDE 17, OSXSAVE 18, SMEP 20, SMAP 21, PKE 22, CET 23.
  @Test("CR4.VMXE and MCE are always on, and hidden features stay off")
  func cr4() {
    #expect(GuestControlRegisters.ownedCR4 == 0x37_0fbf)
    #expect(GuestControlRegisters.realCR4(0) == 0x2040)
    #expect(GuestControlRegisters.realCR4(0x37_07f0) == 0x37_27f0)
    #expect(GuestControlRegisters.realCR4(0xd0_1000) == 0x10_2040, "neither LA57, PKE nor CET")
  }

  @Test("A guest reads what it wrote, and what it changed since without an exit")
  func seen() throws {
    let guest = try PretendedGuest()
    guest.unit.cr0 = 0x6000_0010
    #expect(guest[0x6800] == 0x30)
    #expect(guest.unit.cr0 == 0x6000_0010)
    guest[0x6800] |= 0x8001_0001
    #expect(guest.unit.cr0 == 0xe001_0011)
    guest.unit.cr4 = 0x40
    #expect(guest[0x6804] == 0x2040)
    guest[0x6804] |= 0x20
    #expect(guest.unit.cr4 == 0x60)
    guest.unit.cr4 = 0
    #expect(guest.unit.cr4 == 0)
    #expect(guest[0x6002] & 0x2040 == 0x2040, "writes of VMXE and MCE exit")
    #expect(guest[0x6000] & 0x6000_0020 == 0x6000_0020)
  }

  @Test("The IA-32e mode control follows EFER.LMA")
  func efer() throws {
    let guest = try PretendedGuest()
    guest.unit.efer = 0x500
    #expect(guest[0x4012] == 0xd3ff)
    #expect(guest[0x2806] == 0x500)
    guest.unit.efer = 0x100
    #expect(guest[0x4012] == 0xd1ff)
    #expect(guest.unit.efer == 0x100)
  }

  @Test("Bits of CR4 that the processor has not cannot be set")
  func settable() throws {
    let guest = try PretendedGuest()
    #expect(guest.unit.settableCR4 == 0x17_07ff)
  }
  @Test("A bit of CR4 that CPUID hides exits, and reads as it was")
  func hidden() throws {
    let guest = try PretendedGuest()
    let smep: UInt64 = 1 << 20
    guest.unit.cr4 = 0x20
    // PGE, which is the guest's own.
    guest[0x6804] |= 0x80
    guest.unit.interceptCR4(hidden: smep)
    #expect(guest[0x6002] & (smep | 0x80) == smep)
    #expect(guest[0x6006] & smep == 0)
    #expect(guest.unit.cr4 == 0xa0)
    guest.unit.cr4 = 0x20 | smep
    guest.unit.interceptCR4(hidden: 0)
    #expect(guest[0x6002] & smep == 0)
    #expect(guest.unit.cr4 == 0x20 | smep)
  }
}
