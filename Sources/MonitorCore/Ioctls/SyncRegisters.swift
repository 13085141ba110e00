// SPDX-License-Identifier: Apache-2.0
import Contract

/// KVM_CAP_SYNC_REGS: registers that KVM_RUN takes from `kvm_run` and leaves there, as the client's
/// `kvm_dirty_regs` and `kvm_valid_regs` say.
extension VirtualCPU {
  @inline(__always) var wantsSyncRegisters: Bool {
    run.kvm_valid_regs | run.kvm_dirty_regs != 0
  }

  private static var known: UInt64 {
    UInt64(KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS)
  }

  /// Before anything else of KVM_RUN: 0, or -errno.
  @inline(never)
  func takeSyncRegisters() -> Int64 {
    // Read once: the client can write it meanwhile.
    let dirty = run.kvm_dirty_regs
    guard (run.kvm_valid_regs | dirty) & ~Self.known == 0 else { return -EINVAL_ }
    if dirty & UInt64(KVM_SYNC_X86_REGS) != 0 { _ = unsafe setRegisters(run.s.regs.regs) }
    if dirty & UInt64(KVM_SYNC_X86_SREGS) != 0 {
      let result = unsafe setSpecialRegisters(run.s.regs.sregs)
      guard result == 0 else { return result }
    }
    if dirty & UInt64(KVM_SYNC_X86_EVENTS) != 0 {
      let result = unsafe setEvents(run.s.regs.events)
      guard result == 0 else { return result }
    }
    run.kvm_dirty_regs = 0
    return 0
  }

  /// After everything else, whatever KVM_RUN answers.
  @inline(never)
  func leaveSyncRegisters() {
    let valid = run.kvm_valid_regs
    if valid & UInt64(KVM_SYNC_X86_REGS) != 0 { unsafe run.s.regs.regs = getRegisters() }
    if valid & UInt64(KVM_SYNC_X86_SREGS) != 0 { unsafe run.s.regs.sregs = getSpecialRegisters() }
    if valid & UInt64(KVM_SYNC_X86_EVENTS) != 0 { unsafe run.s.regs.events = getEvents() }
  }
}
