// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// KVM_GET_REGS, KVM_GET_SREGS, KVM_GET_SREGS2 and what sets them.
extension VirtualCPU {
  func getRegisters() -> kvm_regs {
    kvm_regs(
      rax: self[register: 0], rbx: self[register: 3], rcx: self[register: 1],
      rdx: self[register: 2], rsi: self[register: 6], rdi: self[register: 7],
      rsp: self[register: 4], rbp: self[register: 5], r8: self[register: 8],
      r9: self[register: 9], r10: self[register: 10], r11: self[register: 11],
      r12: self[register: 12], r13: self[register: 13], r14: self[register: 14],
      r15: self[register: 15],
      rip: unit.instructionPointer, rflags: unit.flags.rawValue)
  }

  func setRegisters(_ new: kvm_regs) -> Int64 {
    state.registers.values = [
      new.rax, new.rcx, new.rdx, new.rbx, new.rsp, new.rbp, new.rsi, new.rdi,
      new.r8, new.r9, new.r10, new.r11, new.r12, new.r13, new.r14, new.r15,
    ]
    unit.stackPointer = new.rsp
    unit.instructionPointer = new.rip
    unit.flags = RFLAGS(rawValue: new.rflags | RFLAGS.alwaysOne.rawValue)
    // What was half done belongs to the registers that are gone now.
    if unit.injection?.kind == .exception { unit.injection = nil }
    return 0
  }

  func getSpecialRegisters() -> kvm_sregs {
    var registers = kvm_sregs()
    registers.cs = kvm_segment(unit[.cs])
    registers.ds = kvm_segment(unit[.ds])
    registers.es = kvm_segment(unit[.es])
    registers.fs = kvm_segment(unit[.fs])
    registers.gs = kvm_segment(unit[.gs])
    registers.ss = kvm_segment(unit[.ss])
    registers.tr = kvm_segment(unit[.tr])
    // A loaded task is busy. SVM may not store that, VT-x asks for it, and KVM says it.
    registers.tr.type |= 2
    registers.ldt = kvm_segment(unit[.ldtr])
    registers.gdt = kvm_dtable(unit.gdt)
    registers.idt = kvm_dtable(unit.idt)
    registers.cr0 = unit.cr0
    registers.cr2 = unit.cr2
    registers.cr3 = unit.cr3
    registers.cr4 = unit.cr4
    registers.cr8 = UInt64(taskPriority >> 4)
    registers.efer = unit.efer
    registers.apic_base = state.apic.base.rawValue
    if let event = unit.injection, event.kind == .external {
      unsafe withUnsafeMutableBytes(of: &registers.interrupt_bitmap) {
        unsafe $0[Int(event.vector >> 3)] = 1 << (event.vector & 7)
      }
    }
    return registers
  }

  func setSpecialRegisters(_ new: kvm_sregs) -> Int64 {
    guard Self.isConsistent(new), new.cr8 <= 15,
      new.cr4 & ~(state.possibleCR4 & unit.settableCR4) == 0,
      EFER(rawValue: new.efer).subtracting(offeredEFER).isEmpty,
      setAPICBase(APICBase(rawValue: new.apic_base), by: .client)
    else { return -EINVAL_ }
    unit[.cs] = Segment(new.cs)
    unit[.ds] = Segment(new.ds)
    unit[.es] = Segment(new.es)
    unit[.fs] = Segment(new.fs)
    unit[.gs] = Segment(new.gs)
    unit[.ss] = Segment(new.ss)
    unit[.tr] = Segment(new.tr)
    unit[.ldtr] = Segment(new.ldt)
    unit.gdt = DescriptorTable(limit: new.gdt.limit, base: new.gdt.base)
    unit.idt = DescriptorTable(limit: new.idt.limit, base: new.idt.base)
    unit.cr2 = new.cr2
    unit.cr3 = new.cr3
    unit.efer = new.efer
    unit.cr0 = new.cr0 | CR0.extensionType.rawValue
    unit.cr4 = new.cr4
    state.attention.insert(.pageDirectoryPointers)
    taskPriority = UInt32(new.cr8) << 4
    unit.flushTranslations()
    return injectRequested(new)
  }

  /// What kvm_sregs and kvm_sregs2 begin with alike: all but the bitmap of the former, in bytes.
  private static var commonRegisters: Int {
    MemoryLayout<kvm_sregs>.size - MemoryLayout.size(ofValue: kvm_sregs().interrupt_bitmap)
  }

  /// The processor keeps PAE's first level to itself: it is told of as read from memory, flags 0.
  func getSpecialRegisters2() -> kvm_sregs2 {
    var answer = kvm_sregs2()
    unsafe withUnsafeBytes(of: getSpecialRegisters()) { source in
      unsafe withUnsafeMutableBytes(of: &answer) {
        unsafe $0.copyMemory(from: .init(rebasing: source[..<Self.commonRegisters]))
      }
    }
    return answer
  }

  func setSpecialRegisters2(_ new: kvm_sregs2) -> Int64 {
    let known = UInt64(KVM_SREGS2_FLAGS_PDPTRS_VALID)
    guard new.flags & ~known == 0 else { return -EINVAL_ }
    var registers = kvm_sregs()
    unsafe withUnsafeBytes(of: new) { source in
      unsafe withUnsafeMutableBytes(of: &registers) {
        unsafe $0.copyMemory(from: .init(rebasing: source[..<Self.commonRegisters]))
      }
    }
    let result = setSpecialRegisters(registers)
    if result == 0, new.flags & known != 0, pagingMode.format == .extended {
      state.attention.remove(.pageDirectoryPointers)
      unit.setPageDirectoryPointers([
        new.pdptrs.0, new.pdptrs.1, new.pdptrs.2, new.pdptrs.3,
      ])
    }
    return result
  }

  /// An interrupt that the client's `interrupt_bitmap` says was being delivered.
  private func injectRequested(_ registers: kvm_sregs) -> Int64 {
    unsafe withUnsafeBytes(of: registers.interrupt_bitmap) { bits in
      for byte in bits.indices {
        let value = unsafe bits[byte]
        guard value != 0 else { continue }
        let vector = byte * 8 + value.trailingZeroBitCount
        unit.injection = Event(kind: .external, vector: UInt8(vector))
      }
    }
    return 0
  }

  /// What a processor could not hold: long mode without its paging, addresses that no instruction
  /// loads, or bits that VMRUN and VM entry refuse. APM vol. 2, 15.5.1; SDM vol. 3, 27.3.1.2.
  static func isConsistent(_ new: kvm_sregs) -> Bool {
    let cr0 = CR0(rawValue: new.cr0)
    let efer = EFER(rawValue: new.efer)
    guard new.cr0 >> 32 == 0, new.fs.base.isCanonical, new.gs.base.isCanonical,
      new.ldt.base.isCanonical, new.tr.base.isCanonical, new.gdt.base.isCanonical,
      new.idt.base.isCanonical
    else { return false }
    if cr0.contains(.paging), !cr0.contains(.protectionEnable) { return false }
    if cr0.contains(.notWriteThrough), !cr0.contains(.cacheDisable) { return false }
    if efer.contains(.longModeEnable), cr0.contains(.paging) {
      return CR4(rawValue: new.cr4).contains(.physicalAddressExtension)
        && efer.contains(.longModeActive)
    }
    return !efer.contains(.longModeActive) && new.cs.l == 0
  }
}

extension kvm_segment {
  init(_ segment: Segment) {
    let rights = segment.attributes
    self.init(
      base: segment.base, limit: segment.limit, selector: segment.selector, type: rights.type,
      present: rights.isPresent ? 1 : 0, dpl: rights.privilegeLevel,
      db: rights.isDefaultBig ? 1 : 0, s: rights.isCodeOrData ? 1 : 0, l: rights.isLong ? 1 : 0,
      g: rights.isPageGranular ? 1 : 0, avl: rights.isAvailable ? 1 : 0,
      unusable: rights.isUnusable ? 1 : 0, padding: 0)
  }
}

extension kvm_dtable {
  init(_ table: DescriptorTable) {
    self.init(base: table.base, limit: table.limit, padding: (0, 0, 0))
  }
}

extension Segment {
  init(_ segment: kvm_segment) {
    self.init(
      selector: segment.selector,
      attributes: SegmentAttributes(
        type: segment.type, codeOrData: segment.s != 0, privilegeLevel: segment.dpl,
        present: segment.present != 0, available: segment.avl != 0, long: segment.l != 0,
        big: segment.db != 0, granular: segment.g != 0,
        unusable: segment.unusable != 0 || segment.present == 0),
      limit: segment.limit, base: segment.base)
  }
}
