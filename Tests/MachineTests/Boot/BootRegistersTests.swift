// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing

@testable import Machine

@Suite("The registers at the 64-bit entry point")
struct BootRegistersTests {
  @Test("are those of the boot protocol: RSI at the zero page, interrupts off")
  func general() {
    let registers = BootRegisters.general(entry: 0x100_0200)
    #expect(registers.rip == 0x100_0200)
    #expect(registers.rsi == 0x7000)
    #expect(registers.rflags == 2)
  }

  @Test("have paging and long mode on, in x2APIC mode if asked for")
  func special() {
    var initial = kvm_sregs()
    initial.apic_base = 0xfee0_0900  // enabled, bootstrap processor
    let registers = BootRegisters.special(from: initial, x2APIC: true)
    #expect(registers.cr0 & 0x8000_0001 == 0x8000_0001)
    #expect(registers.cr4 & 0x20 == 0x20)
    #expect(registers.efer == 0x500)
    #expect(registers.cr3 == 0x9000)
    #expect(registers.apic_base == 0xfee0_0d00)
    #expect(BootRegisters.special(from: initial, x2APIC: false).apic_base == 0xfee0_0900)
  }

  @Test("have the selectors __BOOT_CS 0x10 and __BOOT_DS 0x18, as the descriptors say")
  func segments() {
    let registers = BootRegisters.special(from: kvm_sregs(), x2APIC: true)
    #expect(registers.cs.selector == 0x10)
    #expect(registers.cs.l == 1)
    #expect(registers.cs.db == 0)
    #expect(registers.ds.selector == 0x18)
    #expect(registers.ss.selector == 0x18)
    let table = BootRegisters.descriptorTable
    #expect(Int(registers.gdt.limit) == table.count - 1)
    // Intel SDM 3A, 3.4.5: type in bits 43-40, S 44, P 47, L 53, G 55.
    let code = table.number(at: 0x10, as: UInt64.self)
    #expect(code >> 40 & 0xf == UInt64(registers.cs.type))
    #expect(code >> 53 & 1 == 1)
    #expect(code >> 47 & 1 == 1)
    let data = table.number(at: 0x18, as: UInt64.self)
    #expect(data >> 40 & 0xf == UInt64(registers.ds.type))
    #expect(data >> 44 & 1 == 1)
  }
}
