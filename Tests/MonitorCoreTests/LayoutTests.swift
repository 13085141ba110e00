// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

/// apus.h says how many pages each structure has.
@Suite("Structures in shared areas")
struct LayoutTests {
  static let page = 4096

  @Test("Fit into their pages")
  func sizes() {
    #expect(MemoryLayout<kvm_run>.size <= Self.page)
    #expect(MemoryLayout<apus_cpu>.size <= Self.page)
    #expect(MemoryLayout<apus_vcpu>.size <= 2 * Self.page)
    #expect(MemoryLayout<apus_vm>.size <= 2 * Self.page)
    #expect(MemoryLayout<apus_extent_page>.size <= Self.page)
    // The state has the first private page of the vCPU area, the CPUID table the next three.
    #expect(MemoryLayout<VirtualCPUState>.size <= Self.page)
    #expect(CPUIDTable.capacity * MemoryLayout<kvm_cpuid_entry2>.stride <= 3 * Self.page)
    #expect(MemoryLayout<MachineCheckBanks>.size <= Self.page)
    #expect(MemoryLayout<InstructionSites.Site>.stride * InstructionSites.count <= Self.page)
    #expect(APUS_VCPU_PAGE_PRIVATE + 7 <= UInt32(1) << APUS_VCPU_ORDER)
    let rest = Int(APUS_VM_PAGE_NOTIFICATIONS) - Int(APUS_VM_PAGE_PRIVATE)
    #expect(64 + MemoryLayout<VirtualMachineState>.size <= rest * Self.page)
    #expect(
      Int(APUS_NOTIFICATIONS) * MemoryLayout<apus_notification>.stride
        <= Int(APUS_NOTIFICATION_PAGES) * Self.page)
    #expect(APUS_VM_PAGE_NOTIFICATIONS + 2 * APUS_NOTIFICATION_PAGES <= APUS_VM_PAGE_RING)
    #expect(APUS_VM_PAGE_RING < APUS_VM_PAGE_SLOTS)
    let tables = Int(APUS_VM_PAGE_MAPPED) - Int(APUS_VM_PAGE_SLOTS)
    #expect(2 * Int(APUS_SLOTS) * MemoryLayout<apus_slot>.stride <= tables * Self.page)
    let mapped = 1 << Int(APUS_VM_ORDER) - Int(APUS_VM_PAGE_MAPPED)
    #expect(Int(APUS_SLOTS) * MemoryLayout<MappedSlot>.stride <= mapped * Self.page)
    #expect(MemoryLayout<apus_directory>.size <= Self.page)
  }

  @Test("The VM's lock is the first word of the private pages, before what is initialised under it")
  func lock() {
    let pages = PretendedMachine().cpu.pages
    let first = UnsafeMutableRawPointer(pages.vm) + Int(APUS_VM_PAGE_PRIVATE) * Self.page
    #expect(UnsafeMutableRawPointer(pages.lock) == first)
    #expect(UnsafeMutableRawPointer(pages.machine) >= first + MemoryLayout<Spinlock>.size)
  }

  @Test("Registers lie in the order in which instructions number them")
  func registers() {
    #expect(MemoryLayout<GuestRegisters>.size == 128)
    var registers = GuestRegisters()
    for number in UInt8(0)..<16 { registers[number] = UInt64(number) }
    #expect([registers.rax, registers.rcx, registers.rdx, registers.rbx] == [0, 1, 2, 3])
    #expect([registers.rsi, registers.rdi] == [6, 7])
  }

  @Test("EDX:EAX is written to two registers and read from their lower halves")
  func pair() {
    var registers = GuestRegisters()
    registers.edxEAX = 0x1122_3344_5566_7788
    #expect(registers.rax == 0x5566_7788)
    #expect(registers.rdx == 0x1122_3344)
    registers.rax = 0xffff_ffff_0000_0001
    registers.rdx = 0xffff_ffff_0000_0002
    #expect(registers.edxEAX == 0x2_0000_0001)
  }
}
