// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// The vCPU ioctls that the driver forwards: it has checked the size and copied the argument
/// into the payload pages; what it means is decided here. linux Documentation/virt/kvm/api.rst.
extension VirtualCPU {
  /// `size` is the payload's, in bytes. 0, a positive answer, or -errno.
  func serve(_ request: UInt32, _ size: Int) -> Int64 {
    switch request {
    case KVM_GET_REGS_: reply(getRegisters())
    case KVM_SET_REGS_: setRegisters(argument())
    case KVM_GET_SREGS_: reply(getSpecialRegisters())
    case KVM_SET_SREGS_: setSpecialRegisters(argument())
    case KVM_GET_SREGS2_: reply(getSpecialRegisters2())
    case KVM_SET_SREGS2_: setSpecialRegisters2(argument())
    case KVM_GET_MSRS_:
      transferMSRs(size) { msr, entry in
        guard let value = readMSR(msr, by: .client) else { return false }
        entry.data = value
        return true
      }
    case KVM_SET_MSRS_:
      transferMSRs(size) { msr, entry in
        writeMSR(msr, entry.data, by: .client)
      }
    case KVM_GET_FPU_: reply(getFPU())
    case KVM_SET_FPU_: setFPU(argument())
    case KVM_GET_XSAVE_: getXSAVE()
    case KVM_SET_XSAVE_: setXSAVE()
    case KVM_GET_XCRS_: reply(getXCRs())
    case KVM_SET_XCRS_: setXCRs(argument())
    case KVM_GET_LAPIC_: getLAPIC()
    case KVM_SET_LAPIC_: setLAPIC()
    case KVM_GET_CPUID2_: getCPUID(size)
    case KVM_SET_CPUID2_: setCPUID(size)
    case KVM_GET_MP_STATE_: reply(getActivity())
    case KVM_SET_MP_STATE_: setActivity(argument())
    case KVM_GET_VCPU_EVENTS_: reply(getEvents())
    case KVM_SET_VCPU_EVENTS_: setEvents(argument())
    case KVM_GET_DEBUGREGS_: reply(getDebugRegisters())
    case KVM_SET_DEBUGREGS_: setDebugRegisters(argument())
    case KVM_SET_GUEST_DEBUG_: setGuestDebug(argument())
    case KVM_TRANSLATE_: reply(translateAddress(argument()))
    case KVM_ENABLE_CAP_: enable(argument())
    case KVM_KVMCLOCK_CTRL_: tellGuestItWasStopped()
    case KVM_GET_DEVICE_ATTR_: reply(unit.tscOffset)
    case KVM_SET_DEVICE_ATTR_: setTSCOffsetAttribute(argument())
    case KVM_APUS_SET_TIMER_: chooseTimer(argument())
    case KVM_X86_SETUP_MCE_: setUpMachineCheck(argument())
    case KVM_X86_SET_MCE_: reportMachineCheck(argument())
    case KVM_INTERRUPT_: queueExternal(argument())
    case KVM_SET_VAPIC_ADDR_: setVAPICAddress(argument())
    case KVM_TPR_ACCESS_REPORTING_: reportTaskPriorityAccesses(argument())
    default: -ENOTTY_
    }
  }

  /// APUS_COMMAND_VM.
  public func performOnMachine(_ request: UInt32) -> Int64 {
    switch request {
    case KVM_GET_IRQCHIP_: getInterruptController()
    case KVM_SET_IRQCHIP_: setInterruptController()
    case KVM_GET_PIT2_: getTimer()
    case KVM_SET_PIT2_: setTimer(argument())
    case KVM_APUS_PASS_PORTS_: passPorts(argument())
    default: -ENOTTY_
    }
  }

  /// The payload as a structure of linux/kvm.h, all of which fit in its four pages.
  func argument<Argument>() -> Argument {
    unsafe pages.payload.assumingMemoryBound(to: Argument.self).pointee
  }
  func reply<Answer>(_ answer: Answer) -> Int64 {
    unsafe pages.payload.assumingMemoryBound(to: Answer.self).pointee = answer
    return 0
  }

  private func getActivity() -> kvm_mp_state {
    switch state.activity {
    case .running: kvm_mp_state(mp_state: UInt32(KVM_MP_STATE_RUNNABLE))
    case .uninitialized: kvm_mp_state(mp_state: UInt32(KVM_MP_STATE_UNINITIALIZED))
    case .waitingForStartUp: kvm_mp_state(mp_state: UInt32(KVM_MP_STATE_INIT_RECEIVED))
    }
  }

  private func setActivity(_ new: kvm_mp_state) -> Int64 {
    switch Int32(truncatingIfNeeded: new.mp_state) {
    // A halted one is woken: HLT may end at any time, and here does by itself.
    case KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_HALTED: state.activity = .running
    case KVM_MP_STATE_UNINITIALIZED: state.activity = .uninitialized
    case KVM_MP_STATE_INIT_RECEIVED: state.activity = .waitingForStartUp
    default: return -EINVAL_
    }
    return 0
  }

  /// struct kvm_msrs: how many were transferred before the first that does not exist.
  private func transferMSRs(
    _ size: Int, _ transfer: (MSR, inout kvm_msr_entry) -> Bool
  ) -> Int64 {
    let count = unsafe Int(pages.payload.load(as: UInt32.self))
    let room = (size - MemoryLayout<kvm_msrs>.size) / MemoryLayout<kvm_msr_entry>.stride
    guard count <= room else { return -E2BIG_ }
    let entries = unsafe (pages.payload + MemoryLayout<kvm_msrs>.size)
      .assumingMemoryBound(to: kvm_msr_entry.self)
    for index in 0..<count {
      let msr = unsafe MSR(rawValue: entries[index].index)
      guard unsafe transfer(msr, &entries[index]) else { return Int64(index) }
    }
    return Int64(count)
  }

  /// struct kvm_cpuid2: a count, padding and the entries.
  private func getCPUID(_ size: Int) -> Int64 {
    let wanted = unsafe Int(pages.payload.load(as: UInt32.self))
    let count = cpuidTable.count
    unsafe pages.payload.storeBytes(of: UInt32(count), as: UInt32.self)
    guard count <= min(wanted, Self.cpuidRoom(size)) else { return -E2BIG_ }
    // As the guest sees it: some bits follow its registers.
    for index in 0..<count {
      var entry = cpuidTable[index]
      let answer = cpuid(entry.function, entry.index)
      entry.eax = answer.eax
      entry.ebx = answer.ebx
      entry.ecx = answer.ecx
      entry.edx = answer.edx
      unsafe cpuidEntries[index] = entry
    }
    return 0
  }

  private func setCPUID(_ size: Int) -> Int64 {
    let count = unsafe Int(pages.payload.load(as: UInt32.self))
    guard count <= min(Self.cpuidRoom(size), CPUIDTable.capacity) else { return -E2BIG_ }
    for index in 0..<count { cpuidTable[index] = unsafe cpuidEntries[index] }
    cpuidTable.index(count: count)
    learnFeatures()
    interceptAPIC()
    return 0
  }

  private var cpuidEntries: UnsafeMutablePointer<kvm_cpuid_entry2> {
    unsafe (pages.payload + MemoryLayout<kvm_cpuid2>.size)
      .assumingMemoryBound(to: kvm_cpuid_entry2.self)
  }
  private static func cpuidRoom(_ size: Int) -> Int {
    max(size - MemoryLayout<kvm_cpuid2>.size, 0) / MemoryLayout<kvm_cpuid_entry2>.stride
  }
}
