// SPDX-License-Identifier: Apache-2.0

/// An exit whose cost is measured: entries of Guests/costs.S, by name, and how many instructions of
/// the monitor each may cost from exit to entry.
struct ExitKind: Sendable, Equatable {
  var name: String
  /// What the guest does.
  var title: String
  /// What the suite holds.
  var ceiling: Int
  /// What the project wants, where that is less: the table marks what is above it.
  var goal: Int
  /// Where the processor does not say how long the instruction was, and the monitor has to read it:
  /// SVM without nrip-save, as QEMU emulates it. Nil where nothing has to be read.
  var ceilingWithoutLength: Int?

  private init(
    _ name: String, _ title: String, _ ceiling: Int, withoutLength: Int? = nil, goal: Int? = nil
  ) {
    self.name = name
    self.title = title
    self.ceiling = ceiling
    self.goal = goal ?? ceiling
    ceilingWithoutLength = withoutLength
  }

  /// What an exit of any kind may cost whose instruction was not met shortly before.
  static var ceilingOfFirst: Int { 900 }

  func ceiling(on machine: StandaloneMachine) -> Int {
    switch machine {
    case .amd: ceilingWithoutLength ?? ceiling
    case .intel: ceiling
    }
  }

  func goal(on machine: StandaloneMachine) -> Int {
    machine == .amd && ceilingWithoutLength != nil ? Self.goalWithoutLength : goal
  }

  /// Where the instruction has to be found in the guest's memory.
  private static var goalWithoutLength: Int { 600 }

  /// The ceilings. A goal that is not reached is said beside its ceiling.
  static let all = [
    ExitKind("cpuid", "CPUID", 250, withoutLength: 300),
    // Two events more, and the look at everything that each entry takes while events are wanted.
    ExitKind("cpuid-traced", "CPUID, with a trace", 340, withoutLength: 420),
    ExitKind("hypercall", "hypercall", 250, withoutLength: 300),
    ExitKind("rdmsr", "RDMSR, emulated", 250, withoutLength: 300),
    ExitKind("wrmsr", "WRMSR, emulated", 250, withoutLength: 300),
    ExitKind("icr-self", "ICR: to itself", 250, withoutLength: 300),
    ExitKind("icr-other", "ICR: to another vCPU", 250, withoutLength: 300),
    ExitKind("kick", "kick with nothing to do", 250),
    ExitKind("pit-read", "PIT, read", 310, goal: 250),
    ExitKind("pic-read", "PIC, read", 250),
    ExitKind("pic-write", "PIC, write", 300, goal: 250),
    ExitKind("pic-route", "PIC, write: routes change", 600),
    ExitKind("ioapic-select", "I/O APIC, select", 370, goal: 250),
    ExitKind("ioapic-read", "I/O APIC, read", 440, goal: 250),
    ExitKind("ioapic-write", "I/O APIC, write", 455, goal: 250),
    ExitKind("ioapic-route", "I/O APIC, write: routes change", 640, goal: 600),
    ExitKind("xapic-read", "xAPIC, read", 455, goal: 900),
    ExitKind("xapic-write", "xAPIC, write", 455, goal: 900),
    ExitKind("xapic-eoi", "xAPIC, EOI", 455, goal: 900),
    ExitKind("xapic-icr-self", "xAPIC, ICR: to itself", 455, goal: 900),
  ]
}
