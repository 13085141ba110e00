// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import X86

/// What of a guest's NMIs a processor without V_NMI does not keep for it.
struct GuestNMIState: OptionSet {
  let rawValue: UInt8

  /// An NMI is in service. Up to the guest's IRET, which is intercepted.
  static let isBlocked = GuestNMIState(rawValue: 1 << 0)
  /// The IRET is about to be executed, no longer intercepted. It is over when RIP has moved.
  static let isReturning = GuestNMIState(rawValue: 1 << 1)
  /// The guest executes one instruction, after which it can take an NMI.
  static let isStepping = GuestNMIState(rawValue: 1 << 2)
  /// The guest itself single-steps that instruction.
  static let guestSteps = GuestNMIState(rawValue: 1 << 3)
  /// HLT exits also otherwise.
  static let haltsExit = GuestNMIState(rawValue: 1 << 4)
}

/// NMIs of the guest: blocked from the delivery of one to the IRET of its handler, and not delivered
/// behind STI and MOV SS. V_NMI does this where the processor has it (APM vol. 2, 15.21.10).
extension SVMUnit {
  static var virtualNMIPending: UInt64 { 1 << 11 }
  static var virtualNMIBlocked: UInt64 { 1 << 12 }
  static var virtualNMIEnable: UInt64 { 1 << 26 }

  var hasVirtualNMI: Bool { vmcb[.virtualInterrupt] & Self.virtualNMIEnable != 0 }

  public var nmiBlocked: Bool {
    get {
      if hasVirtualNMI { return vmcb[.virtualInterrupt] & Self.virtualNMIBlocked != 0 }
      let state = vmcb[.nmiState]
      guard state.contains(.isBlocked) else { return false }
      return !state.contains(.isReturning) || vmcb[.rip] == vmcb[.nmiReturn]
    }
    nonmutating set {
      if hasVirtualNMI {
        let others = vmcb[.virtualInterrupt] & ~Self.virtualNMIBlocked
        vmcb[.virtualInterrupt] = newValue ? others | Self.virtualNMIBlocked : others
      } else {
        vmcb[.nmiState] = newValue ? .isBlocked : []
        interceptReturn(newValue)
      }
    }
  }

  public var acceptsNMI: Bool { !nmiBlocked && !interruptShadow }

  /// The processor delivers the NMI when the guest takes one.
  public func holdNMI() -> Bool {
    guard hasVirtualNMI, !holdsNMI else { return false }
    vmcb[.virtualInterrupt] |= Self.virtualNMIPending
    return true
  }
  public var holdsNMI: Bool {
    get { vmcb[.virtualInterrupt] & Self.virtualNMIPending != 0 }
    nonmutating set {
      let others = vmcb[.virtualInterrupt] & ~Self.virtualNMIPending
      vmcb[.virtualInterrupt] = newValue ? others | Self.virtualNMIPending : others
    }
  }

  /// Before the IRET of an NMI's handler there is nothing to do: it exits. Where only one instruction is
  /// in the way, that IRET itself or the one behind STI or MOV SS, the guest is stepped over it.
  public var nmiWindowExiting: Bool {
    get { vmcb[.nmiState].contains(.isStepping) }
    nonmutating set {
      guard newValue, injection == nil, !nmiWindowExiting else { return }
      if nmiBlocked, !vmcb[.nmiState].contains(.isReturning) { return }
      startStep()
    }
  }

  private func interceptReturn(_ isOn: Bool) {
    let others = vmcb[.intercepts1] & ~Intercepts1.interruptReturn.rawValue
    vmcb[.intercepts1] = isOn ? others | Intercepts1.interruptReturn.rawValue : others
  }

  /// The exit comes before the IRET.
  func reachReturn() {
    interceptReturn(false)
    vmcb[.nmiState].insert(.isReturning)
    vmcb[.nmiReturn] = vmcb[.rip]
  }

  // MARK: One instruction

  /// Every exception exits meanwhile: none is to push the TF that is not the guest's. INT3 and INTO
  /// would have to be told from exceptions of the same numbers, and push it.
  private func startStep() {
    var state: GuestNMIState = nmiBlocked ? [.isBlocked, .isReturning, .isStepping] : .isStepping
    if flags.contains(.trap) { state.insert(.guestSteps) }
    if haltExiting { state.insert(.haltsExit) }
    vmcb[.nmiState] = state
    vmcb[.debugStatusBeforeStep] = vmcb[.dr6]
    vmcb[.rflags] |= RFLAGS.trap.rawValue
    vmcb[.exceptionIntercepts] = ~(1 << 2 | 1 << 3 | 1 << 4) | breakpointBit
    haltExiting = true
  }

  /// Whatever ended the step: nothing of it is left. An instruction that put it off, by an exit of its own,
  /// is stepped over again.
  @inline(never)
  func endStep(_ exit: Exit) -> Exit {
    let state = vmcb[.nmiState]
    vmcb[.nmiState] = state.subtracting([.isStepping, .guestSteps, .haltsExit])
    vmcb[.exceptionIntercepts] = interceptedExceptions
    haltExiting = state.contains(.haltsExit)
    // IRET has brought the guest's own TF.
    let isReturned = state.contains(.isReturning) && vmcb[.rip] != vmcb[.nmiReturn]
    if !state.contains(.guestSteps), !isReturned { vmcb[.rflags] &= ~RFLAGS.trap.rawValue }
    if exit == .exception {
      return endStep(by: exitException, guestSteps: state.contains(.guestSteps))
    }
    // A guest that sleeps in HLT executes nothing that could end the step.
    if exit == .halt, !state.contains(.haltsExit) {
      completeInstruction(next: vmcb[.rip] &+ max(exitInstructionLength, 1))
      return .interruptWindow
    }
    return exit
  }

  private func endStep(by exception: ExitException, guestSteps: Bool) -> Exit {
    if exception.vector == ExceptionVector.pageFault.rawValue { vmcb[.cr2] = vmcb[.exitInfo2] }
    guard exception.vector == ExceptionVector.debug.rawValue, !guestSteps else { return .exception }
    let singleStep: UInt64 = 1 << 14
    let before = vmcb[.debugStatusBeforeStep]
    // Conditions of the guest's own may have met the same instruction.
    let isGuests = vmcb[.dr6] & singleStep == 0 || vmcb[.dr6] & 0xf & ~before != 0
    vmcb[.dr6] = isGuests ? vmcb[.dr6] & ~singleStep | before & singleStep : before
    return isGuests ? .exception : .interruptWindow
  }
}
