// SPDX-License-Identifier: Apache-2.0
import Contract
import KVM

/// A vCPU's registers for the report of a guest that ended itself.
enum RegisterDump {
  static func of(_ virtualCPU: borrowing VirtualCPU) -> [GuestFailure.Register] {
    var dump: [GuestFailure.Register] = []
    if let r = try? virtualCPU.registers() {
      let general: [(String, UInt64)] = [
        ("rip", r.rip), ("rflags", r.rflags), ("rsp", r.rsp), ("rbp", r.rbp), ("rax", r.rax),
        ("rbx", r.rbx), ("rcx", r.rcx), ("rdx", r.rdx), ("rsi", r.rsi), ("rdi", r.rdi),
        ("r8", r.r8), ("r9", r.r9), ("r10", r.r10), ("r11", r.r11), ("r12", r.r12),
        ("r13", r.r13), ("r14", r.r14), ("r15", r.r15),
      ]
      dump += general.map(GuestFailure.Register.init)
    }
    if let s = try? virtualCPU.specialRegisters() {
      let special: [(String, UInt64)] = [
        ("cr0", s.cr0), ("cr2", s.cr2), ("cr3", s.cr3), ("cr4", s.cr4), ("efer", s.efer),
        ("cs", UInt64(s.cs.selector)), ("cs.base", s.cs.base), ("idt.base", s.idt.base),
        ("idt.limit", UInt64(s.idt.limit)), ("apic_base", s.apic_base),
      ]
      dump += special.map(GuestFailure.Register.init)
    }
    return dump
  }
}

func hexadecimal(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }
