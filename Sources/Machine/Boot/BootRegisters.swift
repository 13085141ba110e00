// SPDX-License-Identifier: Apache-2.0
import Contract

/// Registers at the kernel's 64-bit entry point: Linux's Documentation/arch/x86/boot.rst,
/// "64-bit Boot Protocol".
enum BootRegisters {
  /// Selectors that the protocol names: __BOOT_CS and __BOOT_DS.
  static let codeSelector: UInt16 = 0x10
  static let dataSelector: UInt16 = 0x18
  static let taskSelector: UInt16 = 0x20

  /// Null, null, 64-bit code, data, and a task state (two entries, base 0).
  static var descriptorTable: [UInt8] {
    let entries: [UInt64] = [
      0, 0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff, 0x0000_8b00_0000_ffff, 0,
    ]
    return entries.reduce(into: []) { $0.append(littleEndian: $1) }
  }

  static func general(entry: UInt64) -> kvm_regs {
    var registers = kvm_regs()
    registers.rip = entry
    registers.rsi = GuestLayout.bootParameters
    registers.rsp = GuestLayout.bootParameters
    registers.rflags = 0x2  // bit 1 is always set; interrupts are off
    return registers
  }

  /// Bits of IA32_APIC_BASE (Intel SDM 3A, 11.12.1).
  static let apicEnabled: UInt64 = 1 << 11
  static let x2APICEnabled: UInt64 = 1 << 10

  /// `initial` is what the vCPU has after its creation.
  static func special(from initial: kvm_sregs, x2APIC: Bool) -> kvm_sregs {
    var registers = initial
    registers.cs = segment(selector: codeSelector, type: 0xb)
    registers.cs.l = 1
    let data = segment(selector: dataSelector, type: 0x3, wide: 1)
    (registers.ds, registers.es, registers.fs, registers.gs, registers.ss) =
      (data, data, data, data, data)
    registers.tr = segment(selector: taskSelector, type: 0xb)
    registers.tr.s = 0
    registers.tr.g = 0
    registers.tr.limit = 0xffff
    registers.gdt.base = GuestLayout.descriptorTable
    registers.gdt.limit = UInt16(descriptorTable.count - 1)
    registers.idt.base = 0
    registers.idt.limit = 0
    registers.cr0 = 0x8000_0011  // PG, ET, PE
    registers.cr3 = GuestLayout.pageTables
    registers.cr4 = 0x20  // PAE
    registers.efer = 0x500  // LMA, LME
    registers.apic_base |= apicEnabled | (x2APIC ? x2APICEnabled : 0)
    return registers
  }

  private static func segment(selector: UInt16, type: UInt8, wide: UInt8 = 0) -> kvm_segment {
    var segment = kvm_segment()
    segment.selector = selector
    segment.base = 0
    segment.limit = 0xffff_ffff
    segment.type = type
    segment.present = 1
    segment.s = 1
    segment.g = 1
    segment.db = wide
    return segment
  }
}
