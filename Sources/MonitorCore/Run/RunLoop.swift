// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// KVM_RUN.
extension VirtualCPU {
  /// Runs the guest until the client is needed: 0, or -EINTR for a request to stop, or APUS_RUN_PAGE.
  /// `answer` is what the driver says of the page that was asked for last.
  public func runGuest(_ answer: apus_page_answer = APUS_PAGE_RETRY) -> Int64 {
    let start = processor.timestamp()
    state.isPageMissing = false
    state.clientsPage =
      answer == APUS_PAGE_CLIENT ? control.page_address >> 12 : VirtualCPUState.noPage
    let syncs = wantsSyncRegisters
    var result = syncs ? takeSyncRegisters() : 0
    if result == 0 { result = runUntilClient() }
    if syncs { leaveSyncRegisters() }
    control.statistics.run_cycles &+= processor.timestamp() &- start
    return result
  }

  private func runUntilClient() -> Int64 {
    followSlots()
    finishPendingPort()
    finishPendingMSR()
    if resumeEmulator() == .client { return 0 }
    // What the client finds in `exit_reason` stays what it was, as KVM's clients expect that step over
    // an access by this.
    if run.immediate_exit != 0 {
      describeToClient()
      return -Int64(EINTR_)
    }
    if state.shutdownPending {
      state.shutdownPending = false
      run.exit_reason = UInt32(KVM_EXIT_SHUTDOWN)
      describeToClient()
      return 0
    }
    if run.request_interrupt_window != 0 { state.attention.insert(.events) }
    if isTracing { traceEvent(APUS_TRACE_RUN) }
    while true {
      // The steps of docs/model. M1: read the count of NMIs.
      let nmis = processor.nmiCount
      // M2: look for requests. Slots also for a vCPU that waits: the driver frees no page that one
      // may still use.
      var traces = false
      let isAsked = isRequested || slotsMoved
      if isAsked || state.attention != [] {
        // While there is nothing but a trace, there is nothing to look at.
        if isAsked || state.attention != .tracing {
          // M2, M3: take the requests, act on them.
          if serveRequests() { return interrupted() }
          followSlots()
          if isSplit, hasNewsForClient() {
            describeToClient()
            return 0
          }
          guard attend() else {
            // M4: sleep unless the count moved.
            processor.sleep(unlessNMISince: nmis)
            continue
          }
          if state.attention.contains(.debugger), beginDebugging() == .client {
            describeToClient()
            return 0
          }
          // Where NMIs wait while GIF is 0, draining an APIC lets them in: look again.
          guard processor.nmiCount == nmis else { continue }
        }
        traces = isTracing
      }
      // M5: enter unless the count moved.
      let exit = traces ? enterTraced(unlessNMISince: nmis) : enter(unlessNMISince: nmis)
      if handle(exit) == .client {
        describeToClient()
        return state.isPageMissing ? Int64(APUS_RUN_PAGE) : 0
      }
    }
  }

  /// Does what `attention` names. False: the vCPU waits for a start-up.
  @inline(never)
  private func attend() -> Bool {
    let attention = state.attention
    if attention.contains(.activity) {
      if isTracing { traceMode() }
      guard state.activity == .running else { return false }
      state.attention.remove(.activity)
    }
    if attention.contains(.pageDirectoryPointers) {
      state.attention.remove(.pageDirectoryPointers)
      loadPageDirectoryPointers()
    }
    if attention.contains(.timer) {
      state.attention.remove(.timer)
      armTimer()
      if isTracing {
        traceEvent(APUS_TRACE_TIMER, at: unit.deadline ?? 0, detail: state.timerPeriod)
      }
    }
    // Its bit stays as long as something waits.
    if attention.contains(.emulatedAPIC) {
      attendEmulatedAPIC()
    } else if attention.contains(.events), !holdsEvents {
      deliverPending()
    }
    return true
  }

  /// The guest has exited: what came for its emulated local APIC is looked at, and the next of it delivered.
  @inline(never)
  private func attendEmulatedAPIC() {
    acceptTaken()
    expireTimer()
    if state.apic.wantedPolicy != state.apic.policy { followPolicy() }
    if isEmulated, holdsEvents {
      unit.awaitTaskPriority(below: 0)
    } else {
      deliverPending()
    }
  }

  @inline(never)
  private func interrupted() -> Int64 {
    run.exit_reason = UInt32(KVM_EXIT_INTR)
    describeToClient()
    return -Int64(EINTR_)
  }

  /// Fields of kvm_run that KVM fills in at every return.
  @inline(never)
  private func describeToClient() {
    endDebugging()
    if isTracing { traceEvent(APUS_TRACE_CLIENT, cause: run.exit_reason) }
    run.if_flag = unit.flags.contains(.interruptEnable) ? 1 : 0
    run.ready_for_interrupt_injection = !isSplit || isReadyForExternal ? 1 : 0
    run.cr8 = UInt64(taskPriority >> 4)
    run.apic_base = state.apic.base.rawValue
  }

  @inline(__always)
  private func enter(unlessNMISince nmis: UInt64) -> Exit {
    if unit.needsPreparation { unit.prepareEntry() }
    control.statistics.entries &+= 1
    let exit = unit.enter(&state.registers, unlessNMISince: nmis)
    record()
    if unit.wasDelivering { redeliver(after: exit) }
    return exit
  }

  /// The same with an event before it and one behind it.
  @inline(never)
  private func enterTraced(unlessNMISince nmis: UInt64) -> Exit {
    traceEvent(APUS_TRACE_ENTRY, cause: 0, at: unit.instructionPointer, detail: tracedInjection)
    let exit = enter(unlessNMISince: nmis)
    traceEvent(
      APUS_TRACE_EXIT, cause: UInt32(exit.rawValue), at: unit.exitInstructionPointer,
      detail: tracedDetail(of: exit))
    return exit
  }

  /// What the exit interrupted the delivery of comes again.
  @inline(never)
  private func redeliver(after exit: Exit) {
    let event = unit.takeInterruptedEvent()
    // Whose delivery ended in a triple fault was delivered: SVM names it (SDM vol. 3, 28.2.4: VT-x
    // does not). It would end whatever a client starts on this vCPU next.
    if exit == .shutdown { return }
    if let event, event.kind != .software || state.debugger.isPastInstruction {
      deliverAgain(event)
    }
  }

  /// An event whose delivery was cut short by the exit. An interrupt that waited for the guest
  /// meanwhile comes after it.
  private func deliverAgain(_ event: Event) {
    if event.kind == .external { putOffInjection() }
    unit.injection = event
  }

  /// The ring of the newest exits, for the report of a guest that ended itself.
  @inline(__always)
  private func record() {
    let index = Int(control.last_exit_count & 15)
    unsafe withUnsafeMutableBytes(of: &control.last_exits) { bytes in
      let entry =
        unsafe bytes.baseAddress.unsafelyUnwrapped
        + index * MemoryLayout<apus_last_exit>.stride
      unsafe entry.storeBytes(of: unit.exitCode, as: UInt64.self)
      unsafe entry.storeBytes(of: unit.exitInstructionPointer, toByteOffset: 8, as: UInt64.self)
      unsafe entry.storeBytes(of: unit.exitInformation, toByteOffset: 16, as: UInt64.self)
    }
    control.last_exit_count &+= 1
  }

  @inline(__always)
  private func handle(_ exit: Exit) -> Outcome {
    switch exit {
    case .nonMaskableInterrupt:
      count(APUS_EXIT_NMI)
      return .resume
    case .exception:
      count(APUS_EXIT_EXCEPTION)
      return handleException(unit.exitException)
    case .cpuid:
      count(APUS_EXIT_CPUID)
      return handleCPUID()
    case .halt:
      count(APUS_EXIT_HLT)
      skip(.halt)
      run.exit_reason = UInt32(KVM_EXIT_HLT)
      return .client
    case .port:
      return handlePort(unit.exitPortAccess)
    case .readMSR:
      return handleReadMSR()
    case .writeMSR:
      return handleWriteMSR()
    case .nestedFault:
      return handleNestedFault(unit.exitNestedFault)
    case .interruptWindow:
      count(APUS_EXIT_INTERRUPT_WINDOW)
      unit.interruptWindowExiting = false
      return .resume
    case .hypercall:
      count(APUS_EXIT_HYPERCALL)
      return handleHypercall()
    case .shutdown:
      count(APUS_EXIT_SHUTDOWN)
      run.exit_reason = UInt32(KVM_EXIT_SHUTDOWN)
      return .client
    case .invalidState:
      count(APUS_EXIT_INVALID_STATE)
      run.exit_reason = UInt32(KVM_EXIT_FAIL_ENTRY)
      run.fail_entry.hardware_entry_failure_reason = unit.exitCode
      run.fail_entry.cpu = cpu.cpu
      return .client
    case .virtualizationInstruction:
      count(APUS_EXIT_VIRTUALISATION)
      inject(.invalidOpcode)
      return .resume
    case .cacheControl:
      count(APUS_EXIT_OTHER)
      skip(.cacheControl)
      return .resume
    case .setExtendedControl:
      count(APUS_EXIT_XSETBV)
      return handleSetExtendedControl()
    case .controlRegister:
      guard let access = unit.exitControlRegister else { return handleUnknown() }
      count(APUS_EXIT_CONTROL_REGISTER)
      return handleControlRegister(access)
    case .debugRegister:
      count(APUS_EXIT_DEBUG)
      return handleDebugRegister(unit.exitDebugRegister)
    case .softwareInterrupt:
      count(APUS_EXIT_DEBUG)
      return handleSoftwareInterrupt()
    case .preemptionTimer:
      count(APUS_EXIT_PREEMPTION_TIMER)
      timerRang()
      return .resume
    case .interrupt:
      count(APUS_EXIT_INTERRUPT)
      processor.takeInterrupts()
      return .resume
    case .other: return handleUnknown()
    }
  }

  @inline(never)
  private func handleUnknown() -> Outcome {
    count(APUS_EXIT_OTHER)
    run.exit_reason = UInt32(KVM_EXIT_UNKNOWN)
    run.hw.hardware_exit_reason = unit.exitCode
    return .client
  }

  /// Intercepted so that the guest cannot stay inside the processor for ever while it
  /// delivers them, and for a debugger; the guest gets them all the same.
  @inline(never)
  private func handleException(_ exception: ExitException) -> Outcome {
    let vector = exception.vector
    if vector == ExceptionVector.machineCheck.rawValue {
      // The machine's own, and the handler in root mode has taken it. Not the guest's.
      return .resume
    }
    if !state.debugger.control.isEmpty, let outcome = debuggerTakes(vector) { return outcome }
    let pushes = ExceptionVector(rawValue: vector)?.pushesErrorCode ?? false
    putOffInjection()
    unit.injection = Event(
      kind: .exception, vector: vector, errorCode: pushes ? exception.errorCode : nil)
    return .resume
  }

  @inline(never)
  private func handleCPUID() -> Outcome {
    let function = UInt32(truncatingIfNeeded: state.registers.rax)
    let index = UInt32(truncatingIfNeeded: state.registers.rcx)
    let answer = cpuid(function, index)
    state.registers.rax = UInt64(answer.eax)
    state.registers.rbx = UInt64(answer.ebx)
    state.registers.rcx = UInt64(answer.ecx)
    state.registers.rdx = UInt64(answer.edx)
    skip(.cpuid)
    return .resume
  }

  /// Hypercalls of KVM's interface: none is offered, so each answers -KVM_ENOSYS.
  @inline(never)
  private func handleHypercall() -> Outcome {
    state.registers.rax = UInt64(bitPattern: -1000)
    skip(.hypercall)
    return .resume
  }

  /// XSETBV: only state that the processor has and the monitor has room for.
  @inline(never)
  private func handleSetExtendedControl() -> Outcome {
    let value = state.registers.edxEAX
    // SVM: the intercept comes first, on QEMU.
    guard CR4(rawValue: unit.cr4).contains(.osXSAVE) else {
      inject(.invalidOpcode)
      return .resume
    }
    guard UInt32(truncatingIfNeeded: state.registers.rcx) == 0, unit.privilegeLevel == 0,
      isExtendedControl(value)
    else {
      inject(.generalProtection)
      return .resume
    }
    processor.xcr0 = value
    skip(.setExtendedControl)
    return .resume
  }
}
