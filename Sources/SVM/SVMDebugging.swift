// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import X86

/// What the VMCB does not say about a debugger.
struct SVMDebugState: OptionSet {
  let rawValue: UInt8

  /// INT3 exits.
  static let breakpointsExit = SVMDebugState(rawValue: 1 << 0)
  /// The #DB that waits to be injected ends a step of the monitor's.
  static let owesStep = SVMDebugState(rawValue: 1 << 1)
}

/// What a debugger of the client needs.
extension SVMUnit {
  /// Reads of DR0 to DR15 in the lower half, writes in the upper. APM vol. 2, appendix B.
  public var debugRegisterExiting: Bool {
    get { vmcb[.debugRegisterIntercepts] != 0 }
    nonmutating set { vmcb[.debugRegisterIntercepts] = newValue ? .max : 0 }
  }

  public var breakpointExiting: Bool {
    get { vmcb[.debugState].contains(.breakpointsExit) }
    nonmutating set {
      if newValue {
        vmcb[.debugState].insert(.breakpointsExit)
        vmcb[.intercepts1] |= Intercepts1.softwareInterrupt.rawValue
      } else {
        vmcb[.debugState].remove(.breakpointsExit)
        vmcb[.intercepts1] &= ~Intercepts1.softwareInterrupt.rawValue
      }
      if !vmcb[.nmiState].contains(.isStepping) {
        vmcb[.exceptionIntercepts] = interceptedExceptions
      }
    }
  }

  /// But while the guest is stepped over one instruction for an NMI.
  var interceptedExceptions: UInt32 { InterceptedExceptions.mask | breakpointBit }
  var breakpointBit: UInt32 { breakpointExiting ? 1 << 3 : 0 }

  /// Its #DB is injected at the next entry, and is not pending in the guest.
  public var owesSingleStep: Bool {
    vmcb[.debugState].contains(.owesStep) && EventInjection.decode(vmcb[.eventInjection]) != nil
  }
  public func forgetSingleStep() {
    vmcb[.debugState].remove(.owesStep)
    vmcb[.eventInjection] = 0
  }

  /// EXITCODE has the register and the direction. APM vol. 2, appendix C.
  public var exitDebugRegister: DebugRegisterAccess {
    let code = UInt8(truncatingIfNeeded: vmcb[.exitCode])
    return DebugRegisterAccess(number: code & 15, isRead: code & 0x10 == 0, register: nil)
  }
}
