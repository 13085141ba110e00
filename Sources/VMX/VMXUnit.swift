// SPDX-License-Identifier: Apache-2.0
import Contract
import MonitorCore
import X86

/// VT-x behind the protocol of both vendors: a vCPU's pages, of which one is the VMCS that is current
/// on this CPU from `load` to `unload`.
@safe public struct VMXUnit<Instructions: VMXInstructions>: VirtualizationUnit {
  public typealias Tables = ExtendedPageTable

  private let pages: VirtualCPUPages

  public static func of(_ pages: VirtualCPUPages) -> Self { unsafe Self(pages: pages) }
  private init(pages: VirtualCPUPages) { unsafe self.pages = unsafe pages }

  var instructions: Instructions { unsafe Instructions.of(pages) }
  var vmcs: VMCS<Instructions> { VMCS(instructions) }
  private var region: UnsafeMutableRawPointer { unsafe pages.vcpuPage(APUS_VCPU_PAGE_VMCB) }
  /// Two pages: what the VMCS does not hold lies in the second one.
  var msrBitmap: UnsafeMutableRawPointer { unsafe pages.vcpuPage(APUS_VCPU_PAGE_MSR_BITMAP) }
  var physicalMSRBitmap: UInt64 { unsafe pages.physicalVCPUPage(APUS_VCPU_PAGE_MSR_BITMAP) }
  /// The VMCS region's physical address.
  private var block: UInt64 { unsafe pages.physicalVCPUPage(APUS_VCPU_PAGE_VMCB) }

  private var statePointer: UnsafeMutablePointer<VMXState> {
    unsafe (msrBitmap + MSRBitmap.size).assumingMemoryBound(to: VMXState.self)
  }
  @inline(__always) var state: VMXState {
    unsafeAddress { unsafe UnsafePointer(statePointer) }
    nonmutating unsafeMutableAddress { unsafe statePointer }
  }
  /// Of the processor on which the unit was last attached.
  var capabilities: Capabilities {
    unsafeAddress { unsafe UnsafePointer(capabilitiesPointer) }
  }
  private var capabilitiesPointer: UnsafeMutablePointer<Capabilities> {
    unsafe (msrBitmap + MSRBitmap.size + 2048).assumingMemoryBound(to: Capabilities.self)
  }

  /// Tells the unit what the processor under it can do, before it is loaded there.
  public func attach(_ capabilities: Capabilities) {
    unsafe capabilitiesPointer.initialize(to: capabilities)
  }

  public var hasGigabytePages: Bool { capabilities.hasGigabytePages }
  public var settableCR4: UInt64 {
    (GuestControlRegisters.ownedCR4 | CR4.machineCheck.rawValue) & capabilities.possibleCR4
  }

  // MARK: On a CPU and off it

  public func load() {
    // SDM vol. 3, 25.2: software writes the revision before it uses a region.
    unsafe region.storeBytes(of: capabilities.revision, as: UInt32.self)
    instructions.clear(block)
    instructions.makeCurrent(block)
    vmcs.write(instructions.host)
    state.isLaunched = false
    for index in 0..<LentMSRs.count {
      _ = instructions.writeMSR(LentMSRs[index], state.msrs[index])
    }
    instructions.cr2 = state.cr2
    instructions.dr6 = state.dr6
    flushTranslations()
  }

  public func unload() {
    for index in 0..<LentMSRs.count {
      state.msrs[index] = instructions.readMSR(LentMSRs[index])
      _ = instructions.writeMSR(LentMSRs[index], 0)
    }
    state.cr2 = instructions.cr2
    state.dr6 = instructions.dr6
    instructions.clear(block)
  }

  public func flushTranslations() { state.flushes = true }

  // MARK: Into the guest

  public func enter(_ registers: inout GuestRegisters, unlessNMISince seen: UInt64) -> Exit {
    if state.flushes {
      instructions.invalidate(state.eptPointer, capabilities.invalidation)
      state.flushes = false
    }
    loadTimer()
    vmcs[.rsp] = registers.rsp
    state.interruptedEvent = 0
    let outcome = unsafe withUnsafeMutablePointer(to: &registers) {
      unsafe instructions.enter(
        UnsafeMutableRawPointer($0), isLaunched: state.isLaunched, unlessNMISince: seen)
    }
    switch outcome {
    case .prevented:
      state.exitCode = UInt32(ExitReason.exceptionOrNMI.rawValue)
      return .nonMaskableInterrupt
    case .failed:
      state.exitCode = vmcs[.instructionError]
      return .invalidState(UInt64(state.exitCode))
    case .exited:
      registers.rsp = vmcs[.rsp]
      state.exitCode = vmcs[.exitReason]
      return settle(vmcs.exit(state.exitCode))
    }
  }

  /// What an exit leaves to be done before anything else.
  private func settle(_ exit: Exit) -> Exit {
    if case .invalidState(let code) = exit {
      if code & 0xffff == UInt64(ExitReason.machineCheckDuringEntry.rawValue) {
        instructions.takeMachineCheck()
      }
      return exit
    }
    state.isLaunched = true
    state.interruptedEvent = vmcs[.interruptedEvent]
    state.interruptedErrorCode = vmcs[.interruptedErrorCode]
    switch exit {
    case .nonMaskableInterrupt: instructions.unblockNMIs()
    case .interruptWindow where state.exitCode == UInt32(ExitReason.nmiWindow.rawValue):
      nmiWindowExiting = false
    case .other(UInt64(ExitReason.initialize.rawValue)): instructions.surrender()
    case .halt where !state.haltsExit:
      finishHalt()
      return .interruptWindow
    case .exception(let vector, _):
      if vector == ExceptionVector.machineCheck.rawValue { instructions.takeMachineCheck() }
      if vector == ExceptionVector.debug.rawValue {
        instructions.dr6 = vmcs.settleDebugException(dr6: instructions.dr6)
      }
      blockNMIsAgain(UInt64(vmcs[.exitInterruption]))
    case .nestedFault: blockNMIsAgain(vmcs[.exitQualification])
    default: break
    }
    return exit
  }

  /// An IRET that is executed again must find NMIs blocked. SDM vol. 3, 28.2.3.
  private func blockNMIsAgain(_ information: UInt64) {
    guard information & ExitQualification.unblockedNMIs != 0,
      state.interruptedEvent & EventInjection.valid == 0
    else { return }
    nmiBlocked = true
  }

  // MARK: About the newest exit

  public var exitInstructionLength: UInt64 { UInt64(vmcs[.exitInstructionLength]) }
  public var exitCode: UInt64 { UInt64(state.exitCode) }
  public var exitInformation: UInt64 {
    state.exitCode == UInt32(ExitReason.extendedPageTableViolation.rawValue)
      ? vmcs[.guestPhysicalAddress] : vmcs[.exitQualification]
  }
  public func takeInterruptedEvent() -> Event? {
    let event = EventInjection.decode(
      state.interruptedEvent, errorCode: state.interruptedErrorCode)
    state.interruptedEvent = 0
    return event
  }
}
