// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// KVM_CAP_SPLIT_IRQCHIP: the local APICs are the monitor's, PICs and I/O APIC the client's. Edges come as
/// messages, which the driver sends. This is the rest: levels, whose EOI the client is told, and the PICs'
/// interrupts, which it injects. linux Documentation/virt/kvm/api.rst, 4.16, 5 and 7.5.
extension VirtualCPU {
  /// The PICs and the I/O APIC are the monitor's.
  @inline(__always)
  var hasControllers: Bool { vm.irqchip == APUS_IRQCHIP_FULL }
  @inline(__always)
  var isSplit: Bool { vm.irqchip == APUS_IRQCHIP_SPLIT }

  /// Takes what the driver has put into `level_vectors`.
  @inline(never)
  func takeLevelMessages() {
    unsafe withUnsafeMutablePointer(to: &pages.control.pointee.level_vectors) { tuple in
      let words = unsafe UnsafeMutableRawPointer(tuple).assumingMemoryBound(to: UInt64.self)
      for word in 0..<4 {
        var bits = unsafe exchange(words + word, 0)
        while bits != 0 {
          takeLevel(UInt8(word * 64 + bits.trailingZeroBitCount))
          bits &= bits &- 1
        }
      }
    }
  }

  /// KVM_INTERRUPT: the vector of the client's PICs. -EEXIST: the one before is not delivered yet.
  func queueExternal(_ wanted: kvm_interrupt) -> Int64 {
    guard wanted.irq < 256, vm.irqchip != APUS_IRQCHIP_NONE else { return -EINVAL_ }
    guard isSplit else { return -ENXIO_ }
    guard state.deferredInterrupt == nil else { return -EEXIST_ }
    state.deferredInterrupt = UInt8(wanted.irq)
    return 0
  }

  /// Whether KVM_RUN returns before the guest is entered: KVM_EXIT_IOAPIC_EOI, KVM_EXIT_IRQ_WINDOW_OPEN.
  @inline(never)
  func hasNewsForClient() -> Bool {
    if let vector = state.endedLevels.popFirst() {
      run.exit_reason = UInt32(KVM_EXIT_IOAPIC_EOI)
      run.eoi.vector = vector
      return true
    }
    if wantsInterruptWindow, isReadyForExternal {
      run.exit_reason = UInt32(KVM_EXIT_IRQ_WINDOW_OPEN)
      return true
    }
    return false
  }

  var wantsInterruptWindow: Bool {
    isSplit && run.request_interrupt_window != 0 && state.apic.acceptsExternal
  }

  /// An interrupt that the client injects now is the next thing that the guest sees.
  var isReadyForExternal: Bool {
    state.deferredInterrupt == nil && unit.injection == nil
      && unit.flags.contains(.interruptEnable) && !unit.interruptShadow
      && state.apic.acceptsExternal
  }
}
