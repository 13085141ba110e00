// SPDX-License-Identifier: Apache-2.0
import Contract
import Entry
import MonitorCore
import X86

// The life of a lent CPU has a type for each of its parts. A step consumes the value of one part and
// gives that of the next: one that is left out, taken twice or in another order does not compile.
// docs/Architecture.md, "The life of a CPU".

/// It has come through the trampoline, and runs on the monitor's tables.
struct ArrivedCPU: ~Copyable {
  private let cpu: LentCPU

  /// `mailbox` is struct apus_cpu.
  init(_ mailbox: UnsafeMutablePointer<apus_cpu>) {
    cpu = unsafe LentCPU(mailbox)
    // It may have been taken away by force.
    cpu.holdsLock = false
    cpu.takesInterrupts = false
    cpu.loadTables()
    cpu.enter(APUS_CPU_ARRIVED)
  }

  /// Waits until the driver has no more use for the trampoline.
  consuming func proceed() -> IdleCPU {
    cpu.awaitProceed()
    // The borrowed page is Linux's again: forget its translation.
    writeCR3(readCR3())
    return IdleCPU(cpu)
  }
}

/// Its processor is as Linux left it.
struct IdleCPU: ~Copyable {
  private let cpu: LentCPU

  fileprivate init(_ cpu: LentCPU) { self.cpu = cpu }

  /// Why it cannot run guests, whatever its vendor.
  var refusal: Refusal? { cpu.refusal }

  /// Ends its life here: an INIT gives it back.
  consuming func refuse(_ refusal: Refusal) { cpu.refuse(refusal) }

  /// Switches virtualisation on. `Host.refusal` is nil.
  consuming func takeOver<Host: VirtualizationHost>(by host: Host.Type) -> ServingCPU<Host> {
    cpu.takeOver()
    host.enable(cpu)
    HardwareProcessor<Host>().drainAPIC()
    cpu.mailbox.vendor = host.kind.rawValue
    cpu.enter(APUS_CPU_READY)
    return ServingCPU(cpu)
  }
}

/// It is in VMX root operation, or has SVM on and GIF 0, and its APIC is empty and in x2APIC mode.
struct ServingCPU<Host: VirtualizationHost>: ~Copyable {
  private let cpu: LentCPU

  fileprivate init(_ cpu: LentCPU) { self.cpu = cpu }

  /// Serves the driver's commands, the last of which is APUS_COMMAND_PARK.
  consuming func serve() -> LeavingCPU<Host> {
    CommandServer<Host>(cpu).run()
    return LeavingCPU(cpu)
  }
}

/// No vCPU is on it, and none comes any more.
struct LeavingCPU<Host: VirtualizationHost>: ~Copyable {
  private let cpu: LentCPU

  fileprivate init(_ cpu: LentCPU) { self.cpu = cpu }

  /// Makes the processor what it was when Linux let go of it.
  consuming func giveBack() {
    HardwareProcessor<Host>().drainAPIC()
    Host.disable()
    cpu.giveBack()
    cpu.enter(APUS_CPU_PARKED)
  }
}
