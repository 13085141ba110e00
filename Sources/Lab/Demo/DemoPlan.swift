// SPDX-License-Identifier: Apache-2.0

/// On what the demonstration runs, and how much it measures.
struct DemoPlan: Sendable {
  let machine: HostMachine
  /// The CPU that is measured, and lent.
  let cpu: Int
  let loops = 5000
  let idleSeconds = 3
  /// Boots whose time is taken in addition to the measured guest's; the shortest counts.
  let moreBoots: Int
  /// Most that a guest may take, on the host's clock.
  let guestSeconds: Int
  /// Most that the machine may take, on the developer's clock.
  let seconds: Int
  /// The timer that a guest on a lent CPU has to use, by Linux's name for it, where the processor
  /// has the better one.
  let timerDevice: String?

  init(_ vendor: Vendor) {
    var machine = HostMachine(vendor)
    cpu = machine.cpus - 1
    switch vendor {
    case .amd:
      machine.favouredCPU = cpu
      moreBoots = 2
      guestSeconds = 90
      seconds = 240
      timerDevice = nil
    case .intel:
      // Its times are its instructions, whatever else the developer's machine does: one boot says
      // all.
      moreBoots = 0
      guestSeconds = 120
      seconds = 1800
      timerDevice = "lapic-deadline"
    }
    self.machine = machine
  }

  /// Of the run's directory and of the file with its figures.
  var name: String { machine.vendor == .amd ? "demo" : "demo-intel" }

  /// The same for KVM and Apus: nothing but where to write, how much, and what to do.
  var guestCommandLine: String {
    "console=ttyS0 quiet LAB_WORK=measure LAB_LOOPS=\(loops) LAB_IDLE=\(idleSeconds)"
  }

  /// What a reader of the figures has to know.
  var notes: [String] {
    switch machine.vendor {
    case .amd:
      [
        "Exits are counted exactly. Microseconds are a model: a software emulator has no exit cost "
          + "and no caches, and shares this machine's processors with everything else on it.",
        "The emulated processor has no nrip-save, so KVM decodes the instructions that exit: the "
          + "number of its exits compares fairly, the time that each takes is overstated.",
        Self.reasons, Self.beginning,
      ]
    case .intel:
      [
        "Exits are counted exactly. Seconds and microseconds are a model: every instruction takes "
          + "10 ns, an exit nothing but the instructions that handle it, and there are no caches.",
        "KVM has no APIC virtualization here: the emulated processor, a Core i7-3770K, lacks it.",
        Self.reasons, Self.beginning,
      ]
    }
  }

  private static let beginning =
    "Wake-ups count from after the guest's mark on its second serial port, which Linux writes with "
    + "interrupts off."

  private static let reasons =
    "KVM counts all exits and some reasons; its `other` holds MSR accesses, CPUID and control "
    + "registers."
}
