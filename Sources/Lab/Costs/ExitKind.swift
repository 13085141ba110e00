// SPDX-License-Identifier: Apache-2.0

/// An exit whose cost is measured: entries of Guests/costs.S, by name, and how many instructions of
/// the monitor each may cost from exit to entry.
struct ExitKind: Sendable, Equatable {
  var name: String
  /// What the guest does.
  var title: String
  var ceiling: Int
  /// Where the processor does not say how long the instruction was, and the monitor has to read it:
  /// SVM without nrip-save, as QEMU emulates it. Nil where nothing has to be read.
  var ceilingWithoutLength: Int?

  private init(_ name: String, _ title: String, _ ceiling: Int, withoutLength: Int? = nil) {
    self.name = name
    self.title = title
    self.ceiling = ceiling
    ceilingWithoutLength = withoutLength
  }

  func ceiling(on machine: StandaloneMachine) -> Int {
    switch machine {
    case .amd: ceilingWithoutLength ?? ceiling
    case .intel: ceiling
    }
  }

  /// The ceilings.
  static let all = [
    ExitKind("cpuid", "CPUID", 250, withoutLength: 600),
    ExitKind("hypercall", "hypercall", 250, withoutLength: 600),
    ExitKind("rdmsr", "RDMSR, emulated", 250, withoutLength: 600),
    ExitKind("wrmsr", "WRMSR, emulated", 250, withoutLength: 600),
    ExitKind("icr-self", "ICR: to itself", 250, withoutLength: 600),
    ExitKind("icr-other", "ICR: to another vCPU", 250, withoutLength: 600),
    ExitKind("kick", "kick with nothing to do", 250),
    ExitKind("pit-read", "PIT, read", 250),
    ExitKind("pic-read", "PIC, read", 250),
    ExitKind("pic-write", "PIC, write", 250),
    ExitKind("pic-route", "PIC, write: routes change", 600),
    ExitKind("ioapic-select", "I/O APIC, select", 250),
    ExitKind("ioapic-read", "I/O APIC, read", 250),
    ExitKind("ioapic-write", "I/O APIC, write", 250),
    ExitKind("ioapic-route", "I/O APIC, write: routes change", 600),
    ExitKind("xapic-read", "xAPIC, read", 900),
    ExitKind("xapic-write", "xAPIC, write", 900),
    ExitKind("xapic-eoi", "xAPIC, EOI", 900),
    ExitKind("xapic-icr-self", "xAPIC, ICR: to itself", 900),
  ]
}
