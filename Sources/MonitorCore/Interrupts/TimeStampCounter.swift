// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// The guest's TSC: the CPU's own, and an offset where the client or the guest has set it. With one the guest
/// still has the real TSC-deadline timer, whose MSR exits to be converted; interrupts, and the timer's
/// other modes, stay as they are.
extension VirtualCPU {
  var guestTimestamp: UInt64 { processor.timestamp() &+ unit.tscOffset }

  /// IA32_TSC. SDM vol. 3, 18.17.3: by the guest it changes IA32_TSC_ADJUST by the same amount.
  ///
  /// A client's write is KVM's (Documentation/virt/kvm/api.rst, 4.20, and kvm_synchronize_tsc()): 0 is what it
  /// writes to a vCPU that starts, and asks for the TSC that the VM's vCPUs have, as does what is less than a
  /// second beside that. Here that is the host's, until another value is set.
  func setTimestamp(_ value: UInt64, by writer: Writer) {
    let now = processor.timestamp()
    if writer == .guest {
      let offset = value &- now
      state.msrs[.tscAdjust] = state.msrs[.tscAdjust] &+ offset &- unit.tscOffset
      setTSCOffset(offset)
      return
    }
    let second = UInt64(vm.tsc_khz) * 1000
    let offset = withMachine { machine in
      let isNear = value &- (now &+ machine.tscOffset) &+ second < 2 * second
      if value != 0, !isNear { machine.tscOffset = value &- now }
      return machine.tscOffset
    }
    setTSCOffset(offset)
  }

  /// IA32_TSC_ADJUST; a client's write only puts back what it has read.
  func setTSCAdjust(_ value: UInt64, by writer: Writer) {
    if writer == .guest { setTSCOffset(unit.tscOffset &+ value &- state.msrs[.tscAdjust]) }
    state.msrs[.tscAdjust] = value
  }

  /// KVM_VCPU_TSC_OFFSET.
  func setTSCOffsetAttribute(_ offset: UInt64) -> Int64 {
    withMachine { $0.tscOffset = offset }
    setTSCOffset(offset)
    return 0
  }

  private func setTSCOffset(_ offset: UInt64) {
    guard offset != unit.tscOffset else { return }
    // A deadline stays one of the guest's TSC.
    let deadline = offersTSCDeadline ? tscDeadline : 0
    unit.tscOffset = offset
    if deadline != 0 { tscDeadline = deadline }
    interceptAPIC()
    publishSystemTime()
  }

  /// IA32_TSC_DEADLINE in the guest's time; 0: the timer is not armed. What is past rings at once, and no
  /// deadline becomes 0 by its conversion.
  var tscDeadline: UInt64 {
    get {
      let deadline = realDeadline
      return deadline == 0 ? 0 : deadline &+ unit.tscOffset
    }
    nonmutating set {
      realDeadline = newValue == 0 ? 0 : hostDeadline(newValue)
    }
  }

  private func hostDeadline(_ deadline: UInt64) -> UInt64 {
    let offset = unit.tscOffset
    guard offset != 0 else { return deadline }
    let now = processor.timestamp()
    let guestNow = now &+ offset
    if deadline <= guestNow { return 1 }
    let (host, isBeyond) = now.addingReportingOverflow(deadline - guestNow)
    return isBeyond ? .max : host
  }
}
