// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// KVM_SET_GUEST_DEBUG and KVM_TRANSLATE.
extension VirtualCPU {
  /// -EBUSY: an exception is to be injected, and another one waits.
  func setGuestDebug(_ wanted: kvm_guest_debug) -> Int64 {
    let asked = DebugControl(rawValue: wanted.control)
    if !asked.isDisjoint(with: [.injectDebug, .injectBreakpoint]) {
      guard unit.injection?.kind != .exception else { return -EBUSY_ }
      if asked.contains(.injectDebug) {
        inject(.debug)
      } else {
        injectBreakpoint()
      }
    }
    var control: DebugControl = []
    if asked.contains(.enable) {
      control = asked.subtracting([.injectDebug, .injectBreakpoint])
    }
    change(to: control, wanted.arch.debugreg)
    return 0
  }

  /// A guest's own INT3, which the client took for its debugger's at first. It returns behind it.
  private func injectBreakpoint() {
    inject(.breakpoint)
    unit.instructionPointer = unit.instructionPointer &+ 1
    state.debugger.isPastInstruction = true
  }

  private func change(
    to control: DebugControl,
    _ registers: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
  ) {
    let hadBreakpoints = state.debugger.control.contains(.hardwareBreakpoints)
    let hasBreakpoints = control.contains(.hardwareBreakpoints)
    if hadBreakpoints, !hasBreakpoints { bringDebugRegistersBack() }
    if hasBreakpoints, !hadBreakpoints { putDebugRegistersAside() }
    if hasBreakpoints {
      setBreakpoints([registers.0, registers.1, registers.2, registers.3], control: registers.7)
    }
    unit.breakpointExiting = control.contains(.softwareBreakpoints)
    if !control.contains(.singleStep) { forgetStep() }
    state.debugger.control = control
    // An empty control is looked at once more, and then no longer.
    state.attention.insert(.debugger)
  }

  /// Nobody waits any more for the end of a step that the monitor has executed.
  private func forgetStep() {
    guard state.debugger.control.contains(.singleStep), unit.owesSingleStep else { return }
    unit.forgetSingleStep()
  }

  /// A linear address of the guest by its page tables. A page that is not there is answered as
  /// not valid, in no other way refused.
  func translateAddress(_ asked: kvm_translation) -> kvm_translation {
    var answer = asked
    answer.usermode = 0
    do throws(PageFault) {
      let linear = Linear(asked.linear_address)
      answer.physical_address = try translate(linear, Access(overridesSMAP: true)).rawValue
      answer.valid = 1
      answer.writeable = 1
    } catch {
      answer.physical_address = .max
      answer.valid = 0
      answer.writeable = 0
    }
    return answer
  }
}
