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
  case debugRegister = 29
  case port = 30
  case readMSR = 31
  case writeMSR = 32
  case invalidGuestState = 33
  case msrLoading = 34
  case mwait = 36
  case monitor = 39
  case machineCheckDuringEntry = 41
  case taskPriorityBelowThreshold = 43
  case extendedPageTableViolation = 48
  case extendedPageTableMisconfiguration = 49
  case invept = 50
  case preemptionTimer = 52
  case invvpid = 53
  case wbinvd = 54
  case setExtendedControl = 55
  case vmfunc = 59
  case encls = 60
  case seamcall = 76
  case tdcall = 77

  /// The entry did not happen; guest state is what it was.
  public static var entryFailure: UInt32 { 1 << 31 }

  /// The exit in neutral terms, by the basic reason. In numbers, of which the compiler makes a table:
  /// every exit looks here. A test holds them against the cases above.
  @inline(__always)
  static func decode(_ reason: UInt32) -> Exit {
    switch reason & 0xffff {
    // An exception or an NMI: which of the two, the interruption information says.
    case 0: .exception
    case 1: .interrupt
    case 2: .shutdown
    case 7, 8, 43: .interruptWindow
    case 10: .cpuid
    case 12: .halt
    case 13, 54: .cacheControl
    case 18: .hypercall
    // GETSEC, VT-x's own instructions, MWAIT and MONITOR, ENCLS; SEAMCALL and TDCALL exit on every processor
    // that has them, whatever the controls say.
    case 11, 19...27, 36, 39, 50, 53, 59, 60, 76, 77: .virtualizationInstruction
    case 28: .controlRegister
    case 29: .debugRegister
    case 30: .port
    case 31: .readMSR
    case 32: .writeMSR
    case 48: .nestedFault
    case 52: .preemptionTimer
    case 55: .setExtendedControl
    default: .other
    }
  }
}
