// SPDX-License-Identifier: Apache-2.0
import Contract
import Emulator
import X86

/// A guest that a debugger in the client steps and stops: KVM_EXIT_DEBUG.
extension VirtualCPU {
  private static var singleStepCondition: UInt64 { 1 << 14 }
  private static var highestPriority: UInt32 { 0xff }

  /// Before each entry. Client: a step that the monitor itself has executed is over.
  @inline(never)
  func beginDebugging() -> Outcome {
    let control = state.debugger.control
    if unit.injection == nil { state.debugger.isPastInstruction = false }
    guard !control.isEmpty else {
      if !state.debugger.isPastInstruction { state.attention.remove(.debugger) }
      return .resume
    }
    if control.contains(.singleStep), unit.owesSingleStep {
      unit.forgetSingleStep()
      unit.dr6 = unit.dr6 & ~Self.singleStepCondition | keptStep
      return report(.debug, status: Self.clearDR6 | Self.singleStepCondition)
    }
    if !state.debugger.isEntered {
      state.debugger.isEntered = true
      state.debugger.guestTraps = unit.flags.contains(.trap)
      state.debugger.statusBefore = unit.dr6
      // Of an emulated APIC none is injected meanwhile: `holdsEvents`.
      if control.contains(.blockInterrupts), !isEmulated {
        state.debugger.guestPriority = processor.readAPIC(.taskPriority)
        processor.writeAPIC(.taskPriority, Self.highestPriority)
      }
    }
    if control.contains(.singleStep) {
      unit.flags.insert(.trap)
      // VM entry refuses TF in a shadow that it has not seen begin. SDM vol. 3, 27.3.1.5.
      unit.interruptShadow = false
    }
    return .resume
  }

  private var keptStep: UInt64 { state.debugger.statusBefore & Self.singleStepCondition }

  /// Before the client sees the registers: TF and the task priority are the guest's again. One that
  /// it has written itself meanwhile stays.
  @inline(never)
  func endDebugging() {
    guard state.debugger.isEntered else { return }
    state.debugger.isEntered = false
    if state.debugger.control.contains(.singleStep), !state.debugger.guestTraps {
      unit.flags.remove(.trap)
    }
    if state.debugger.control.contains(.blockInterrupts), !isEmulated,
      processor.readAPIC(.taskPriority) == Self.highestPriority
    {
      processor.writeAPIC(.taskPriority, state.debugger.guestPriority)
    }
  }

  /// Whether events that the monitor injects have to wait.
  @inline(__always) var holdsEvents: Bool {
    state.debugger.control.contains(.blockInterrupts)
  }

  /// An exception that exited, if it is the debugger's: nil if it is the guest's.
  func debuggerTakes(_ vector: UInt8) -> Outcome? {
    switch ExceptionVector(rawValue: vector) {
    case .breakpoint: return report(.breakpoint, status: unit.dr6)
    case .debug:
      guard state.debugger.takesDebugExceptions else { return nil }
      let status = unit.dr6 | Self.clearDR6
      if state.debugger.control.contains(.hardwareBreakpoints) {
        unit.dr6 = Self.clearDR6
      } else {
        unit.dr6 = unit.dr6 & ~Self.singleStepCondition | keptStep
      }
      return report(.debug, status: status)
    default: return nil
    }
  }

  /// INT n of the guest, INT3 among them. QEMU's SVM has INT3 exit as this and not as #BP (measured);
  /// with breakpoints of a debugger both are intercepted.
  @inline(never)
  func handleSoftwareInterrupt() -> Outcome {
    let mode = codeSize
    let bytes = fetchInstruction(mode)
    let prefixes = bytes.prefixLength(mode)
    let opcode = bytes.byte(at: prefixes)
    if opcode == 0xcc { return report(.breakpoint, status: unit.dr6) }
    putOffInjection()
    unit.instructionPointer = unit.exitInstructionPointer &+ prefixes &+ 2
    unit.injection = Event(kind: .software, vector: bytes.byte(at: prefixes + 1))
    state.debugger.isPastInstruction = true
    return .resume
  }

  private func report(_ vector: ExceptionVector, status: UInt64) -> Outcome {
    run.exit_reason = UInt32(KVM_EXIT_DEBUG)
    run.debug.arch = kvm_debug_exit_arch(
      exception: UInt32(vector.rawValue), pad: 0, pc: linearInstructionPointer, dr6: status,
      dr7: unit.dr7)
    return .client
  }

  private var linearInstructionPointer: UInt64 {
    let pointer = unit.instructionPointer
    return isLongMode ? pointer : (pointer &+ unit[.cs].base) & 0xffff_ffff
  }
}
