// SPDX-License-Identifier: Apache-2.0
import X86

/// Delivers what waits for the guest: NMIs, and interrupts that are injected.
extension VirtualCPU {
  /// Injects what waits: an NMI, or an interrupt if the guest takes one now; otherwise asks for
  /// an exit when it can.
  func deliverPending() {
    if state.pendingNMIs != 0 { deliverNMI() }
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
