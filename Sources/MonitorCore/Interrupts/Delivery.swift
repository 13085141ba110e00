// SPDX-License-Identifier: Apache-2.0
import X86

/// Delivers what waits for the guest: NMIs, and interrupts that are injected.
extension VirtualCPU {
  /// Injects what waits: an NMI, or an interrupt if the guest takes one now; otherwise asks for
  /// an exit when it can.
  func deliverPending() {
    if state.pendingNMIs != 0 { deliverNMI() }
    if isEmulated {
      deliverEmulated()
      return
    }
    let waits = externalWaits
    guard waits || wantsInterruptWindow else {
      unit.interruptWindowExiting = false
      if state.pendingNMIs == 0 { state.attention.remove(.events) }
      return
    }
    if waits, unit.injection == nil, unit.flags.contains(.interruptEnable),
      !unit.interruptShadow
    {
      unit.injection = Event(kind: .external, vector: takeExternal())
    } else {
      unit.interruptWindowExiting = true
    }
  }

  /// The same where the local APIC is emulated: its own interrupts come before the PICs', because their EOI
  /// exits, and then the next is looked at.
  private func deliverEmulated() {
    withdrawInterrupt()
    unit.interruptWindowExiting = false
    let accepts =
      unit.injection == nil && unit.flags.contains(.interruptEnable) && !unit.interruptShadow
    let priorityClass = taskPriority >> 4
    var held: UInt8 = 0
    let next = state.deferredInterrupt == nil ? state.apic.software.next() : nil
    if let next, next >> 4 > priorityClass {
      if accepts {
        state.apic.software.acknowledge(next)
        state.apic.ownsInjection = true
        unit.injection = Event(kind: .external, vector: next)
      } else {
        unit.interruptWindowExiting = true
      }
    } else {
      if let next { held = next >> 4 }
      if externalWaits, accepts {
        state.apic.ownsInjection = false
        unit.injection = Event(kind: .external, vector: takeExternal())
      } else if externalWaits || wantsInterruptWindow {
        unit.interruptWindowExiting = true
      }
    }
    unit.awaitTaskPriority(below: held)
  }

  /// An interrupt of the emulated APIC that the guest has not seen yet waits in that again: one of a higher
  /// priority may have come.
  func withdrawInterrupt() {
    guard state.apic.ownsInjection else { return }
    state.apic.ownsInjection = false
    var vector = state.deferredInterrupt
    if let event = unit.injection, event.kind == .external { vector = event.vector }
    guard let vector, state.apic.software.service.contains(vector) else { return }
    if state.deferredInterrupt == vector {
      state.deferredInterrupt = nil
    } else {
      unit.injection = nil
    }
    state.apic.software.withdraw(vector)
  }

  @inline(never)
  private func deliverNMI() {
    // NMIs come before interrupts.
    if unit.injection?.kind == .external { putOffInjection() }
    if unit.injection == nil, unit.acceptsNMI {
      state.pendingNMIs -= 1
      unit.injection = Event(kind: .nonMaskable, vector: 2)
    }
    if state.pendingNMIs != 0, unit.holdNMI() { state.pendingNMIs -= 1 }
    unit.nmiWindowExiting = state.pendingNMIs != 0
    // Where a window does not open behind the delivery of another event, a kick ends the run there.
    if state.pendingNMIs != 0, !unit.nmiWindowExiting, let event = unit.injection,
      event.kind != .nonMaskable
    {
      ask(target(id), .external)
    }
  }
}
