// SPDX-License-Identifier: Apache-2.0
import HostileCalls

/// Arguments of requests about written pages, capabilities and machine checks.
extension Worker {
  /// Where the kernel reads or writes a bitmap.
  private mutating func bitmap() -> UnsafeMutableRawPointer? {
    let address = generator.once(in: 4) ? arena.hostileAddress(&generator, targets) : arena.second
    return UnsafeMutableRawPointer(bitPattern: UInt(address))
  }

  mutating func dirtyLog() -> kvm_dirty_log {
    var argument = kvm_dirty_log()
    argument.slot = mostly(generator.below(6))
    argument.dirty_bitmap = bitmap()
    return argument
  }

  mutating func cleanedLog() -> kvm_clear_dirty_log {
    var argument = kvm_clear_dirty_log()
    argument.slot = mostly(generator.below(6))
    // Multiples of 64 are right, unless the slot ends before.
    argument.num_pages = mostly(generator.below(9) * 64)
    argument.first_page = mostly(generator.below(9) * 64)
    argument.dirty_bitmap = bitmap()
    return argument
  }

  mutating func capability() -> kvm_enable_cap {
    var argument = kvm_enable_cap()
    argument.cap = mostly(
      Int(
        generator.element(of: [
          KVM_CAP_DISABLE_QUIRKS, KVM_CAP_DISABLE_QUIRKS2, KVM_CAP_MAX_VCPU_ID,
          KVM_CAP_X86_DISABLE_EXITS, KVM_CAP_SPLIT_IRQCHIP, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
          KVM_CAP_ENFORCE_PV_FEATURE_CPUID,
        ])))
    if generator.once(in: 8) { argument.flags = mostly(1) }
    argument.args.0 = mostly(generator.below(32))
    return argument
  }

  /// An error that the processor would report, of a bank that may be there.
  mutating func shapeMachineCheck() {
    arena.store((1 << 63 | generator.next() >> generator.next() % 64) as UInt64)
    let bank = MemoryLayout<kvm_x86_mce>.offset(of: \.bank) ?? 0
    arena.store(UInt8(truncatingIfNeeded: mostly(generator.below(33)) as UInt64), at: bank)
  }
}
