// SPDX-License-Identifier: Apache-2.0
import X86

extension VirtualCPU {
  /// The register state after INIT. SDM vol. 3, table 10-1.
  func resetRegisters() {
    state.registers = GuestRegisters()
    state.registers.rdx = 0x600
    unit.cr0 = CR0.reset.rawValue
    unit.cr2 = 0
    unit.cr3 = 0
    unit.cr4 = 0
    unit.efer = 0
    unit.flags = .alwaysOne
    unit.instructionPointer = 0xfff0
    unit.stackPointer = 0
    guestDR6 = Self.clearDR6
    guestDR7 = 0x400
    unit.injection = nil
    unit.nmiBlocked = false
    unit.interruptShadow = false
    unit[.cs] = Segment(
      selector: 0xf000, attributes: .realModeCode, base: 0xffff_0000)
    unit[.ds] = Segment(attributes: .realModeData)
    unit[.es] = Segment(attributes: .realModeData)
    unit[.ss] = Segment(attributes: .realModeData)
    unit[.fs] = Segment(attributes: .realModeData)
    unit[.gs] = Segment(attributes: .realModeData)
    unit[.ldtr] = Segment(attributes: .localDescriptorTable)
    unit[.tr] = Segment(attributes: .busyTaskState)
    unit.gdt = DescriptorTable(limit: 0xffff, base: 0)
    unit.idt = DescriptorTable(limit: 0xffff, base: 0)
    unit.flushTranslations()
  }
}
