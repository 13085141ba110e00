// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// Whose write it is: the client may set what a processor only reaches in steps.
enum Writer { case guest, client }

/// RDMSR and WRMSR of the guest, and KVM_GET_MSRS and KVM_SET_MSRS of the client. An MSR
/// that is not offered raises #GP.
extension VirtualCPU {
  func handleReadMSR() -> Outcome {
    let msr = MSR(rawValue: UInt32(truncatingIfNeeded: state.registers.rcx))
    count(cause(of: msr) ?? APUS_EXIT_MSR_READ)
    if let value = readMSR(msr) {
      state.registers.edxEAX = value
      skipInstruction(2)
    } else {
      inject(.generalProtection)
    }
    return .resume
  }

  func handleWriteMSR() -> Outcome {
    let msr = MSR(rawValue: UInt32(truncatingIfNeeded: state.registers.rcx))
    count(cause(of: msr) ?? APUS_EXIT_MSR_WRITE)
    if writeMSR(msr, state.registers.edxEAX, by: .guest) {
      skipInstruction(2)
    } else {
      inject(.generalProtection)
    }
    return .resume
  }

  /// The local APIC's registers have their own counters.
  private func cause(of msr: MSR) -> apus_exit? {
    guard let register = Self.apicRegister(msr) else { return nil }
    switch register {
    case .interruptCommand: return APUS_EXIT_APIC_ICR
    case .endOfInterrupt: return APUS_EXIT_APIC_EOI
    case .lvtTimer, .timerInitialCount, .timerCurrentCount, .timerDivide:
      return APUS_EXIT_APIC_TIMER
    default: return APUS_EXIT_APIC_OTHER
    }
  }

  static func apicRegister(_ msr: MSR) -> APICRegister? {
    guard (0x800...0x8ff).contains(msr.rawValue) else { return nil }
    return APICRegister(rawValue: UInt8(truncatingIfNeeded: msr.rawValue))
  }

  func readMSR(_ msr: MSR) -> UInt64? {
    if let value = unit.readMSR(msr) { return value }
    if let value = state.msrs.read(msr) { return value }
    if let register = Self.apicRegister(msr) {
      return state.apic.base.isX2APIC ? readX2APIC(register) : nil
    }
    switch msr.rawValue {
    case MSR.efer.rawValue: return unit.efer
    case MSR.apicBase.rawValue: return state.apic.base.rawValue
    case MSR.timeStampCounter.rawValue: return processor.timestamp()
    case MSR.tscAuxiliary.rawValue:
      return offersTSCAuxiliary ? processor.readMSR(msr) : nil
    case MSR.tscDeadline.rawValue:
      return offersTSCDeadline ? processor.readMSR(msr) : nil
    case MSR.kvmSystemTime.rawValue, MSR.kvmSystemTimeOld.rawValue: return state.systemTimeMSR
    case MSR.kvmWallClock.rawValue, MSR.kvmWallClockOld.rawValue: return state.wallClockMSR
    default: return nil
    }
  }

  /// False: #GP, or for the client, not written.
  func writeMSR(_ msr: MSR, _ value: UInt64, by writer: Writer) -> Bool {
    if unit.writeMSR(msr, value) { return true }
    if msr.rawValue == MSR.mtrrCapability.rawValue { return false }
    if state.msrs.write(msr, value) { return true }
    if let register = Self.apicRegister(msr) {
      return state.apic.base.isX2APIC && writeX2APIC(register, value)
    }
    switch msr.rawValue {
    case MSR.efer.rawValue: return writeEFER(value, by: writer)
    case MSR.apicBase.rawValue: return setAPICBase(APICBase(rawValue: value), by: writer)
    // The guest's TSC is the CPU's own: it stays as it is, as on a processor whose TSC
    // cannot be written. A client that wants a TSC of its own sees it in KVM_GET_MSRS.
    case MSR.timeStampCounter.rawValue: return true
    case MSR.tscAuxiliary.rawValue:
      guard offersTSCAuxiliary, value >> 32 == 0 else { return false }
      processor.writeMSR(msr, value)
      return true
    case MSR.tscDeadline.rawValue:
      guard offersTSCDeadline else { return false }
      processor.writeMSR(msr, value)
      return true
    case MSR.kvmSystemTime.rawValue, MSR.kvmSystemTimeOld.rawValue:
      state.systemTimeMSR = value
      publishSystemTime()
      return true
    case MSR.kvmWallClock.rawValue, MSR.kvmWallClockOld.rawValue:
      state.wallClockMSR = value
      if value != 0 { publishWallClock() }
      return true
    default: return false
    }
  }

  // What the client offers counts only where the processor has it: the real registers are used.
  var offersTSCDeadline: Bool {
    cpuidTable.answer(1, 0).ecx & processor.cpuid(1, 0).ecx & 1 << 24 != 0
  }
  var offersTSCAuxiliary: Bool {
    hasTSCAuxiliary && cpuidTable.answer(0x8000_0001, 0).edx & 1 << 27 != 0
  }
  /// RDTSCP.
  var hasTSCAuxiliary: Bool { processor.cpuid(0x8000_0001, 0).edx & 1 << 27 != 0 }

  var offeredEFER: EFER { .offered(processor.cpuid(0x8000_0001, 0).edx) }

  /// APM vol. 2, 3.1.7: LME cannot change while paging is on; LMA follows LME and paging.
  private func writeEFER(_ value: UInt64, by writer: Writer) -> Bool {
    guard EFER(rawValue: value).subtracting(offeredEFER).isEmpty else { return false }
    switch writer {
    case .client: unit.efer = value
    case .guest:
      let old = unit.efer
      let paging = CR0(rawValue: unit.cr0).contains(.paging)
      if paging, (old ^ value) & EFER.longModeEnable.rawValue != 0 { return false }
      let active = EFER.longModeActive.rawValue
      unit.efer = value & ~active | old & active
    }
    return true
  }
}
