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
  /// The virtual-APIC page, of which the TPR shadow uses a byte: a private page of the vCPU area.
  var virtualAPIC: UnsafeMutableRawPointer {
    unsafe pages.vcpuPage(APUS_VCPU_PAGE_PRIVATE + 5)
  }
  var physicalVirtualAPIC: UInt64 {
    unsafe pages.physicalVCPUPage(APUS_VCPU_PAGE_PRIVATE + 5)
  }
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

  /// The guest reads such a bit from the shadow, which has to have it as the register has.
  public func interceptCR4(hidden: UInt64) {
    vmcs.guestCR4 = vmcs.guestCR4
    vmcs[.cr4Mask] = ~(GuestControlRegisters.ownedCR4 & ~hidden)
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

  /// For each instruction that the monitor executes: RIP is written, and nothing else unless the
  /// exit says so.
  @inline(__always)
  public func completeInstruction(next: UInt64) {
    vmcs[.rip] = next
    if vmcs[.interruptibility] & Interruptibility.shadow != 0 { endShadow() }
    if vmcs[.rflags] & RFLAGS.trap.rawValue != 0 { raiseSingleStep() }
  }

  @inline(never)
  private func endShadow() { vmcs[.interruptibility] &= ~Interruptibility.shadow }

  /// SDM vol. 3, 25.4.2: the processor delivers the #DB after the entry, as it would after the
  /// instruction.
  @inline(never)
  private func raiseSingleStep() {
    vmcs[.pendingDebugExceptions] |= DebugException.pendingSingleStep
  }

  // MARK: Into the guest

  @inline(__always)
  public func enter(_ registers: inout GuestRegisters, unlessNMISince seen: UInt64) -> Exit {
    state.interruptedEvent = 0
    let outcome = unsafe withUnsafeMutablePointer(to: &registers) {
      unsafe instructions.enter(
        UnsafeMutableRawPointer($0), isLaunched: state.isLaunched, unlessNMISince: seen)
    }
    guard outcome == .exited else { return refused(outcome) }
    let reason = vmcs[.exitReason]
    state.exitCode = reason
    state.exitInstructionPointer = vmcs[.rip]
    state.interruptedEvent = vmcs[.interruptedEvent]
    state.exitInformation = vmcs[.exitQualification]
    let exit = ExitReason.decode(reason)
    return exit.isPlain && reason < ExitReason.entryFailure ? launched(exit) : settle(exit, reason)
  }

  @inline(__always)
  private func launched(_ exit: Exit) -> Exit {
    state.isLaunched = true
    return exit
  }

  @inline(__always)
  public var needsPreparation: Bool { state.needsPreparation }

  @inline(never)
  public func prepareEntry() {
    if state.flushes {
      instructions.invalidate(state.eptPointer, capabilities.invalidation)
      state.flushes = false
    }
    if state.deadline != 0 { loadTimer() }
  }

  @inline(never)
  private func refused(_ outcome: EntryOutcome) -> Exit {
    state.exitInstructionPointer = vmcs[.rip]
    if outcome == .prevented {
      state.exitCode = UInt32(ExitReason.exceptionOrNMI.rawValue)
      return .nonMaskableInterrupt
    }
    state.exitCode = vmcs[.instructionError]
    return .invalidState
  }

  /// What an exit leaves to be done before anything else, and an entry that failed.
  @inline(never)
  private func settle(_ exit: Exit, _ reason: UInt32) -> Exit {
    if reason & ExitReason.entryFailure != 0 {
      state.interruptedEvent = 0
      if reason & 0xffff == UInt32(ExitReason.machineCheckDuringEntry.rawValue) {
        instructions.takeMachineCheck()
      }
      return .invalidState
    }
    state.isLaunched = true
    switch exit {
    case .exception: return settleException()
    case .interruptWindow where reason == UInt32(ExitReason.nmiWindow.rawValue):
      nmiWindowExiting = false
    case .halt where !state.haltsExit:
      finishHalt()
      return .interruptWindow
    case .nestedFault:
      blockNMIsAgain(state.exitInformation)
      state.exitInformation = vmcs[.guestPhysicalAddress]
    case .other where reason == UInt32(ExitReason.initialize.rawValue): instructions.surrender()
    default: break
    }
    return exit
  }

  private func settleException() -> Exit {
    let information = vmcs[.exitInterruption]
    if EventInjection.kind(information) == .nonMaskable {
      instructions.unblockNMIs()
      return .nonMaskableInterrupt
    }
    let vector = UInt8(truncatingIfNeeded: information)
    if vector == ExceptionVector.machineCheck.rawValue { instructions.takeMachineCheck() }
    if vector == ExceptionVector.debug.rawValue {
      instructions.dr6 = vmcs.settleDebugException(dr6: instructions.dr6)
    }
    blockNMIsAgain(UInt64(information))
    return .exception
  }

  // MARK: What an exit is about

  public var exitException: ExitException {
    let information = vmcs[.exitInterruption]
    return ExitException(
      vector: UInt8(truncatingIfNeeded: information),
      errorCode: information & EventInjection.errorValid != 0 ? vmcs[.exitErrorCode] : 0)
  }
  public var exitPortAccess: PortAccess {
    ExitQualification.port(state.exitInformation, instruction: vmcs[.exitInstructionInformation])
  }
  public var exitNestedFault: NestedFault {
    ExitQualification.nestedFault(vmcs[.exitQualification], address: state.exitInformation)
  }
  public var exitControlRegister: ControlRegisterAccess? {
    ExitQualification.controlRegister(state.exitInformation)
  }

  public var exitDebugRegister: DebugRegisterAccess {
    ExitQualification.debugRegister(state.exitInformation)
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
  public var exitInformation: UInt64 { state.exitInformation }
  public var exitInstructionPointer: UInt64 { state.exitInstructionPointer }
  public var wasDelivering: Bool { state.interruptedEvent & EventInjection.valid != 0 }
  public func takeInterruptedEvent() -> Event? {
    let event = EventInjection.decode(
      state.interruptedEvent, errorCode: vmcs[.interruptedErrorCode])
    state.interruptedEvent = 0
    return event
  }
}
