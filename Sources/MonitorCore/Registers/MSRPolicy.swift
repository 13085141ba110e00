// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// RDMSR and WRMSR of the guest, and KVM_GET_MSRS and KVM_SET_MSRS of the client. An MSR
/// that is not offered raises #GP, or is the client's: see MSRExits.swift.
extension VirtualCPU {
  @inline(__always)
  func handleReadMSR() -> Outcome {
    let msr = MSR(rawValue: UInt32(truncatingIfNeeded: state.registers.rcx))
    count(cause(of: msr) ?? APUS_EXIT_MSR_READ)
    if state.msrFilter != 0, !filterAllows(msr, .read) { return refuseMSR(msr, .read, .filter) }
    guard let value = readMSR(msr, by: .guest) else { return refuseMSR(msr, .read) }
    state.registers.edxEAX = value
    skip(.readMSR)
    return .resume
  }

  @inline(__always)
  func handleWriteMSR() -> Outcome {
    let msr = MSR(rawValue: UInt32(truncatingIfNeeded: state.registers.rcx))
    if msr == APICRegister.interruptCommand.msr, state.apic.base.isX2APIC,
      sendDirectly(InterruptCommand(rawValue: state.registers.edxEAX))
    {
      count(APUS_EXIT_APIC_ICR)
      skip(.writeMSR)
      return .resume
    }
    count(cause(of: msr) ?? APUS_EXIT_MSR_WRITE)
    if state.msrFilter != 0, !filterAllows(msr, .write) { return refuseMSR(msr, .write, .filter) }
    guard writeMSR(msr, state.registers.edxEAX, by: .guest) else { return refuseMSR(msr, .write) }
    skip(.writeMSR)
    return .resume
  }

  /// The local APIC's registers have their own counters.
  @inline(__always)
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

  @inline(__always)
  static func apicRegister(_ msr: MSR) -> APICRegister? {
    guard msr.rawValue >> 8 == 8 else { return nil }
    return APICRegister(rawValue: UInt8(truncatingIfNeeded: msr.rawValue))
  }

  func readMSR(_ msr: MSR, by reader: Writer = .guest) -> UInt64? {
    if let register = Self.apicRegister(msr) {
      return state.apic.base.isX2APIC ? readX2APIC(register) : nil
    }
    guard let row = MSRTable.row(of: msr) else { return nil }
    switch row.home {
    case .unit: return unit.readMSR(msr)
    case .stored: return state.msrs[row.word]
    case .zero: return 0
    case .constant: return MSRTable.constant(msr)
    case .efer: return unit.efer
    case .apicBase: return state.apic.base.rawValue
    case .timeStampCounter: return guestTimestamp
    case .tscAdjust: return state.msrs[.tscAdjust]
    case .tscAuxiliary:
      return offersTSCAuxiliary ? processor.readMSR(msr) : reader == .client ? 0 : nil
    case .tscDeadline:
      return offersTSCDeadline ? tscDeadline : reader == .client ? 0 : nil
    case .platformInformation:
      return reader == .client || vm.enabled & APUS_ENABLED_NO_PLATFORM_INFO == 0 ? 0 : nil
    case .machineCheck: return machineCheck.read(msr, by: reader)
    case .systemTime: return offersClock(msr, reader) ? state.systemTimeMSR : nil
    case .wallClock: return offersClock(msr, reader) ? state.wallClockMSR : nil
    }
  }

  /// False: #GP, or for the client, not written.
  func writeMSR(_ msr: MSR, _ value: UInt64, by writer: Writer) -> Bool {
    if let register = Self.apicRegister(msr) {
      return state.apic.base.isX2APIC && writeX2APIC(register, value)
    }
    guard let row = MSRTable.row(of: msr) else { return false }
    switch row.writes {
    case .any: break
    case .ignored: return true
    case .zero: return value == 0
    // A client puts back what it has read.
    case .none: return writer == .client && readMSR(msr, by: writer) == value
    }
    switch row.home {
    case .unit: return unit.writeMSR(msr, value)
    case .stored: state.msrs[row.word] = value
    case .zero, .constant, .platformInformation: return false
    case .efer: return writeEFER(value, by: writer)
    case .apicBase: return setAPICBase(APICBase(rawValue: value), by: writer)
    case .timeStampCounter: setTimestamp(value, by: writer)
    case .tscAdjust: setTSCAdjust(value, by: writer)
    case .tscAuxiliary:
      // What is listed can be put back as it was read.
      guard offersTSCAuxiliary else { return writer == .client && value == 0 }
      guard value >> 32 == 0 else { return false }
      processor.writeMSR(msr, value)
    case .tscDeadline:
      guard offersTSCDeadline else { return writer == .client && value == 0 }
      tscDeadline = value
    case .machineCheck:
      return machineCheck.write(
        msr, value, by: writer, mayWriteStatus: mayWriteMachineCheckStatus)
    case .systemTime:
      guard offersClock(msr, writer) else { return false }
      state.systemTimeMSR = value
      publishSystemTime()
    case .wallClock:
      guard offersClock(msr, writer) else { return false }
      state.wallClockMSR = value
      if value != 0 { publishWallClock() }
    }
    return true
  }

  /// The client may have asked that CPUID counts: bit 0 of leaf 0x40000001 for the first numbers of
  /// kvmclock's MSRs, bit 3 for those of today.
  private func offersClock(_ msr: MSR, _ accessor: Writer) -> Bool {
    if accessor == .client || !state.enforcesParavirtualFeatures { return true }
    let bit: UInt32 = msr.rawValue < 0x100 ? 1 << 0 : 1 << 3
    return cpuidTable.answer(0x4000_0001, 0).eax & bit != 0
  }

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
