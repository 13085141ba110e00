// SPDX-License-Identifier: Apache-2.0
import MonitorCore

/// Basic exit reasons: the lower half of the exit reason. SDM vol. 3, appendix C.
public enum ExitReason: UInt16, Sendable {
  case exceptionOrNMI = 0
  case externalInterrupt = 1
  case tripleFault = 2
  case initialize = 3
  case startUp = 4
  case interruptWindow = 7
  case nmiWindow = 8
  case taskSwitch = 9
  case cpuid = 10
  case getsec = 11
  case halt = 12
  case invd = 13
  case vmcall = 18
  case vmclear = 19
  case vmlaunch = 20
  case vmptrld = 21
  case vmptrst = 22
  case vmread = 23
  case vmresume = 24
  case vmwrite = 25
  case vmxoff = 26
  case vmxon = 27
  case controlRegister = 28
  case port = 30
  case readMSR = 31
  case writeMSR = 32
  case invalidGuestState = 33
  case msrLoading = 34
  case mwait = 36
  case monitor = 39
  case machineCheckDuringEntry = 41
  case extendedPageTableViolation = 48
  case extendedPageTableMisconfiguration = 49
  case invept = 50
  case preemptionTimer = 52
  case invvpid = 53
  case wbinvd = 54
  case setExtendedControl = 55
  case vmfunc = 59

  /// The entry did not happen; guest state is what it was.
  public static var entryFailure: UInt32 { 1 << 31 }
}

extension VMCS {
  /// The newest exit in neutral terms. `reason` is the field of that name, whole.
  public func exit(_ reason: UInt32) -> Exit {
    if reason & ExitReason.entryFailure != 0 { return .invalidState(UInt64(reason)) }
    switch ExitReason(rawValue: UInt16(truncatingIfNeeded: reason)) {
    case .exceptionOrNMI: return exceptionOrNMI
    case .externalInterrupt: return .interrupt
    case .tripleFault: return .shutdown
    case .interruptWindow, .nmiWindow: return .interruptWindow
    case .cpuid: return .cpuid
    case .halt: return .halt
    case .invd, .wbinvd: return .cacheControl
    case .vmcall: return .hypercall
    case .getsec, .vmclear, .vmlaunch, .vmptrld, .vmptrst, .vmread, .vmresume, .vmwrite, .vmxoff,
      .vmxon, .invept, .invvpid, .vmfunc, .mwait, .monitor:
      return .virtualizationInstruction
    case .controlRegister:
      return ExitQualification.controlRegister(self[.exitQualification])
        .map(Exit.controlRegister) ?? .other(UInt64(reason))
    case .port:
      return .port(
        ExitQualification.port(
          self[.exitQualification], instruction: self[.exitInstructionInformation]))
    case .readMSR: return .readMSR
    case .writeMSR: return .writeMSR
    case .extendedPageTableViolation:
      return .nestedFault(
        ExitQualification.nestedFault(
          self[.exitQualification], address: self[.guestPhysicalAddress]))
    case .preemptionTimer: return .preemptionTimer
    case .setExtendedControl: return .setExtendedControl
    case .initialize, .startUp, .taskSwitch, .invalidGuestState, .msrLoading,
      .machineCheckDuringEntry, .extendedPageTableMisconfiguration, nil:
      return .other(UInt64(reason))
    }
  }

  private var exceptionOrNMI: Exit {
    let information = self[.exitInterruption]
    if EventInjection.kind(information) == .nonMaskable { return .nonMaskableInterrupt }
    return .exception(
      vector: UInt8(truncatingIfNeeded: information),
      errorCode: information & EventInjection.errorValid != 0 ? self[.exitErrorCode] : 0)
  }
}
