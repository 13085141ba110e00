// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import X86

/// The guest's registers: in the VMCS, or, where VT-x does not switch them, in the CPU itself.
extension VMXUnit {
  /// Who sets RIP wants the guest to run there, also where it slept in HLT.
  public var instructionPointer: UInt64 {
    get { vmcs[.rip] }
    nonmutating set {
      vmcs[.rip] = newValue
      vmcs[.activity] = ActivityState.active
    }
  }
  public var stackPointer: UInt64 {
    get { vmcs[.rsp] }
    nonmutating set { vmcs[.rsp] = newValue }
  }
  public var flags: RFLAGS {
    get { RFLAGS(rawValue: vmcs[.rflags]) }
    nonmutating set { vmcs[.rflags] = newValue.rawValue }
  }
  public var cr0: UInt64 {
    get { vmcs.guestCR0 }
    nonmutating set { vmcs.guestCR0 = newValue }
  }
  public var cr2: UInt64 {
    get { instructions.cr2 }
    nonmutating set { instructions.cr2 = newValue }
  }
  public var cr3: UInt64 {
    get { vmcs[.cr3] }
    nonmutating set { vmcs[.cr3] = newValue }
  }
  public var cr4: UInt64 {
    get { vmcs.guestCR4 }
    nonmutating set { vmcs.guestCR4 = newValue }
  }
  /// The guest's own bit: no shadow has to be asked.
  public var hasExtendedStateEnabled: Bool { vmcs[.cr4] & CR4.osXSAVE.rawValue != 0 }
  public var efer: UInt64 {
    get { vmcs.guestEFER }
    nonmutating set { vmcs.guestEFER = newValue }
  }
  public var dr6: UInt64 {
    get { instructions.dr6 }
    nonmutating set { instructions.dr6 = newValue }
  }
  public var dr7: UInt64 {
    get { vmcs[.dr7] }
    nonmutating set { vmcs[.dr7] = newValue }
  }

  /// The privilege level is SS's. SDM vol. 3, 25.4.1.
  public var privilegeLevel: UInt8 { vmcs.attributes(of: .ss).privilegeLevel }
  public var codeAttributes: SegmentAttributes { vmcs.attributes(of: .cs) }
  public subscript(_ name: SegmentName) -> Segment {
    get { vmcs[name] }
    nonmutating set { vmcs[name] = newValue }
  }
  public var gdt: DescriptorTable {
    get { vmcs.table(limit: .gdtrLimit, base: .gdtrBase) }
    nonmutating set {
      vmcs[.gdtrLimit] = UInt32(newValue.limit)
      vmcs[.gdtrBase] = newValue.base
    }
  }
  public var idt: DescriptorTable {
    get { vmcs.table(limit: .idtrLimit, base: .idtrBase) }
    nonmutating set {
      vmcs[.idtrLimit] = UInt32(newValue.limit)
      vmcs[.idtrBase] = newValue.base
    }
  }

  /// PAE's first level is part of the guest's state under EPT. SDM vol. 3, 25.4.2.
  public func setPageDirectoryPointers(_ entries: InlineArray<4, UInt64>) {
    for index in 0..<4 { vmcs[.pageDirectoryPointer(index)] = entries[index] }
  }

  public func readMSR(_ msr: MSR) -> UInt64? {
    LentMSRs.contain(msr) ? instructions.readMSR(msr) : vmcs.readMSR(msr)
  }
  public func writeMSR(_ msr: MSR, _ value: UInt64) -> Bool {
    LentMSRs.contain(msr) ? instructions.writeMSR(msr, value) : vmcs.writeMSR(msr, value)
  }
  public func intercept(_ msr: MSR, reads: Bool, writes: Bool) {
    unsafe MSRBitmap.set(msrBitmap, msr.rawValue, reads: reads, writes: writes)
  }
}
