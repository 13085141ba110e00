// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// MSRs that the client serves (KVM_CAP_X86_USER_SPACE_MSR), and those that it keeps from the guest
/// (KVM_X86_SET_MSR_FILTER). linux Documentation/virt/kvm/api.rst.
extension VirtualCPU {
  /// Whether the client's filter lets the guest have this access. It has no say in the x2APIC's MSRs.
  @inline(never)
  func filterAllows(_ msr: MSR, _ access: MSRAccess) -> Bool {
    let filter = HostPhysical(state.msrFilter)
    guard filter != 0, msr.rawValue >> 8 != 8 else { return true }
    let header = unsafe processor.map(filter, at: .extents)
    let count = unsafe header.load(fromByteOffset: 4, as: UInt32.self)
    let ranges = unsafe (header + 8).assumingMemoryBound(to: apus_msr_range.self)
    for index in 0..<Int(min(count, APUS_MSR_RANGES)) {
      let range = unsafe ranges[index]
      let number = msr.rawValue &- range.first
      guard number < range.count, range.accesses & access.rawValue != 0 else { continue }
      let byte = filter + UInt64(range.bitmap) + UInt64(number >> 3)
      let bits = unsafe processor.map(byte.page, at: .extents)
        .load(fromByteOffset: Int(byte.offsetInPage), as: UInt8.self)
      return bits >> UInt8(number & 7) & 1 != 0
    }
    return unsafe header.load(as: UInt32.self) == 0
  }

  /// An access that the guest cannot have: the client's, if it asked for those, and #GP otherwise.
  @inline(never)
  func refuseMSR(_ msr: MSR, _ access: MSRAccess, _ refusal: MSRRefusal? = nil) -> Outcome {
    let refusal = refusal ?? (isKnown(msr) ? .invalid : .unknown)
    guard vm.msr_exits & refusal.rawValue != 0 else {
      inject(.generalProtection)
      return .resume
    }
    run.exit_reason = UInt32(access == .read ? KVM_EXIT_X86_RDMSR : KVM_EXIT_X86_WRMSR)
    run.msr.error = 0
    run.msr.reason = refusal.rawValue
    run.msr.index = msr.rawValue
    run.msr.data = access == .write ? state.registers.edxEAX : 0
    state.pendingMSR = access
    return .client
  }

  private func isKnown(_ msr: MSR) -> Bool {
    Self.apicRegister(msr) != nil || MSRTable.row(of: msr) != nil
  }

  /// Takes over the client's answer.
  @inline(never)
  func finishPendingMSR() {
    guard let access = state.pendingMSR else { return }
    state.pendingMSR = nil
    guard run.msr.error == 0 else { return inject(.generalProtection) }
    switch access {
    case .read:
      state.registers.edxEAX = run.msr.data
      skip(.readMSR)
    case .write:
      skip(.writeMSR)
    }
  }

  /// A filter comes with the slots of a generation: see `followSlots`.
  func followMSRFilter(_ generation: UInt32) {
    let filter = generation & 1 == 0 ? vm.msr_filters.0 : vm.msr_filters.1
    guard filter != 0 || state.msrFilter != 0 else { return }
    state.msrFilter = filter
    interceptDirectMSRs()
    interceptAPIC()
  }

  /// Sets which accesses of an MSR exit: also those that the filter denies.
  func intercept(_ msr: MSR, reads: Bool, writes: Bool) {
    unit.intercept(
      msr, reads: reads || !filterAllows(msr, .read),
      writes: writes || !filterAllows(msr, .write))
  }

  func interceptDirectMSRs() {
    let direct = Self.directMSRs
    for index in direct.indices { intercept(direct[index], reads: false, writes: false) }
  }

  /// MSRs that are switched with the guest, or are this CPU's alone while it is lent.
  static var directMSRs: InlineArray<13, MSR> {
    [
      .star, .lstar, .cstar, .systemCallMask, .fsBase, .gsBase, .kernelGSBase, .systemEnterCS,
      .systemEnterESP, .systemEnterEIP, .pageAttributeTable, .predictionCommand, .tscAuxiliary,
    ]
  }
}

/// KVM_MSR_EXIT_REASON_*.
enum MSRRefusal: UInt32 {
  /// The processor would raise #GP.
  case invalid = 1
  /// The monitor has no such MSR.
  case unknown = 2
  case filter = 4
}
