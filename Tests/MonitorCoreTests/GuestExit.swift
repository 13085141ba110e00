// SPDX-License-Identifier: Apache-2.0
import MonitorCore

/// An exit of a guest that is not there, with what the unit tells about it.
enum GuestExit: Equatable, Sendable {
  case nonMaskableInterrupt
  case exception(vector: UInt8, errorCode: UInt32)
  case cpuid
  case halt
  case port(PortAccess)
  case readMSR
  case writeMSR
  case nestedFault(NestedFault)
  case interruptWindow
  case hypercall
  case shutdown
  case invalidState(UInt64)
  case virtualizationInstruction
  case cacheControl
  case setExtendedControl
  case controlRegister(ControlRegisterAccess)
  case debugRegister(DebugRegisterAccess)
  case softwareInterrupt
  case preemptionTimer
  case interrupt
  case other(UInt64)

  var kind: Exit {
    switch self {
    case .nonMaskableInterrupt: .nonMaskableInterrupt
    case .exception: .exception
    case .cpuid: .cpuid
    case .halt: .halt
    case .port: .port
    case .readMSR: .readMSR
    case .writeMSR: .writeMSR
    case .nestedFault: .nestedFault
    case .interruptWindow: .interruptWindow
    case .hypercall: .hypercall
    case .shutdown: .shutdown
    case .invalidState: .invalidState
    case .virtualizationInstruction: .virtualizationInstruction
    case .cacheControl: .cacheControl
    case .setExtendedControl: .setExtendedControl
    case .controlRegister: .controlRegister
    case .debugRegister: .debugRegister
    case .softwareInterrupt: .softwareInterrupt
    case .preemptionTimer: .preemptionTimer
    case .interrupt: .interrupt
    case .other: .other
    }
  }
}
