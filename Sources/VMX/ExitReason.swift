// SPDX-License-Identifier: Apache-2.0
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
