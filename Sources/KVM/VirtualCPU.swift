// SPDX-License-Identifier: Apache-2.0
import Contract
import SystemPackage

/// A virtual CPU's descriptor and its shared `struct kvm_run`.
///
/// Calls belong to the thread that runs it, except `requestExit`, `statistics` and `counters`.
public struct VirtualCPU: ~Copyable, @unchecked Sendable {
  public let id: UInt32
  let owned: OwnedDescriptor
  let runArea: Mapping

  init(_ owned: consuming OwnedDescriptor, id: UInt32, runSize: Int) throws(KVMError) {
    runArea = try Mapping(owned.descriptor, size: runSize)
    self.owned = owned
    self.id = id
  }

  var run: UnsafeMutablePointer<kvm_run> {
    runArea.address.assumingMemoryBound(to: kvm_run.self)
  }

  /// The ring at `offset` of the mapping; nil if the mapping does not reach that far. It may be
  /// used as long as the vCPU lives.
  public func coalescedRing(at offset: Int) -> CoalescedRing? {
    guard offset > 0, offset + Int(APUS_PAGE_SIZE) <= runArea.size else { return nil }
    return CoalescedRing(page: runArea.address + offset)
  }

  private func perform<Value>(
    _ call: String, _ request: UInt32, with value: inout Value
  ) throws(KVMError) {
    do {
      try SystemCall.ioctl(owned.descriptor, request, with: &value)
    } catch {
      throw KVMError(call: call, errno: error)
    }
  }

  /// KVM_GET_REGS.
  public func registers() throws(KVMError) -> kvm_regs {
    var registers = kvm_regs()
    try perform("KVM_GET_REGS", KVM_GET_REGS_, with: &registers)
    return registers
  }

  /// KVM_SET_REGS.
  public func setRegisters(_ registers: kvm_regs) throws(KVMError) {
    var registers = registers
    try perform("KVM_SET_REGS", KVM_SET_REGS_, with: &registers)
  }

  /// KVM_GET_SREGS.
  public func specialRegisters() throws(KVMError) -> kvm_sregs {
    var registers = kvm_sregs()
    try perform("KVM_GET_SREGS", KVM_GET_SREGS_, with: &registers)
    return registers
  }

  /// KVM_SET_SREGS.
  public func setSpecialRegisters(_ registers: kvm_sregs) throws(KVMError) {
    var registers = registers
    try perform("KVM_SET_SREGS", KVM_SET_SREGS_, with: &registers)
  }

  /// KVM_SET_FPU.
  public func setFloatingPoint(_ state: kvm_fpu) throws(KVMError) {
    var state = state
    try perform("KVM_SET_FPU", KVM_SET_FPU_, with: &state)
  }

  /// KVM_SET_CPUID2.
  public func setCPUID(_ entries: [kvm_cpuid_entry2]) throws(KVMError) {
    var table = CPUIDTable(entries)
    let descriptor = owned.descriptor
    try calling("KVM_SET_CPUID2") { () throws(Errno) in
      try table.withPointer { pointer throws(Errno) in
        _ = try SystemCall.ioctl(descriptor, KVM_SET_CPUID2_, UInt(bitPattern: pointer))
      }
    }
  }

  /// KVM_SET_LENT_CPU: the CPU of Linux's that this vCPU gets for itself. Only `/dev/apus`.
  public func setLentCPU(_ cpu: Int) throws(KVMError) {
    let descriptor = owned.descriptor
    try calling("KVM_SET_LENT_CPU") { () throws(Errno) in
      _ = try SystemCall.ioctl(descriptor, KVM_SET_LENT_CPU_, UInt(cpu))
    }
  }

  /// KVM_APUS_SET_TIMER: who keeps the timer of its local APIC. Only `/dev/apus`; from any thread.
  public func setTimer(_ policy: apus_timer_policy) throws(KVMError) {
    var choice = apus_timer_choice(policy: policy.rawValue, reserved: 0)
    try perform("KVM_APUS_SET_TIMER", KVM_APUS_SET_TIMER_, with: &choice)
  }

  /// KVM_GET_TSC_KHZ: of the guest's TSC.
  public func timestampFrequency() throws(KVMError) -> UInt32 {
    let descriptor = owned.descriptor
    return try calling("KVM_GET_TSC_KHZ") { () throws(Errno) in
      UInt32(try SystemCall.ioctl(descriptor, KVM_GET_TSC_KHZ_))
    }
  }

  /// KVM_RUN, until there is something for the client to do.
  public func runGuest() throws(KVMError) -> ClientExit {
    do {
      _ = try SystemCall.once(owned.descriptor, KVM_RUN_)
    } catch {
      if error == .interrupted || error == .resourceTemporarilyUnavailable { return .interrupted }
      throw KVMError(call: "KVM_RUN", errno: error)
    }
    return ClientExit(run)
  }

  /// Makes the next KVM_RUN return at once; with a signal to its thread, the current one too.
  public func requestExit() {
    run.pointee.immediate_exit = 1
  }

  /// Lets KVM_RUN enter the guest again.
  public func withdrawExitRequest() {
    run.pointee.immediate_exit = 0
  }

  /// KVM_NMI. On `/dev/apus` from any thread; elsewhere it waits for the thread that is in KVM_RUN.
  public func injectNMI() throws(KVMError) {
    let descriptor = owned.descriptor
    try calling("KVM_NMI") { () throws(Errno) in
      _ = try SystemCall.ioctl(descriptor, KVM_NMI_)
    }
  }
}
