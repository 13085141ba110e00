// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// A local APIC that is emulated: `VirtualAPIC.software` has its registers. Whatever the guest is sent still
/// comes as an interrupt of the lent CPU's APIC, with the guest's vector; it makes the guest exit, the
/// monitor takes and ends it, and requests that vector of the emulated APIC.
extension VirtualCPU {
  @inline(__always) var isEmulated: Bool { state.apic.policy != .direct }

  /// Requests what the monitor has taken.
  func acceptTaken() {
    for word in 0..<4 {
      var taken = processor.takenInterrupts(word)
      // The first 16 vectors are the processor's own.
      if word == 0 { taken &= ~0xffff }
      if taken != 0, acceptsInterrupts { state.apic.software.requests[word: word] |= taken }
    }
  }

  func acceptInterrupt(_ vector: UInt8) {
    if acceptsInterrupts { state.apic.software.requests.insert(vector) }
  }

  /// An APIC that is switched off, by IA32_APIC_BASE or by software, takes none. SDM vol. 3, 11.4.3 and
  /// 11.4.7.2.
  private var acceptsInterrupts: Bool {
    state.apic.base.isEnabled && state.apic.software.isEnabled
  }

  // MARK: Registers

  /// TPR, of whichever APIC is in force. CR8 is its upper half.
  var taskPriority: UInt32 {
    get {
      guard isEmulated else { return processor.readAPIC(.taskPriority) }
      let virtual = UInt32(unit.taskPriority)
      let own = state.apic.software.taskPriority
      // The guest has written CR8 since, if they differ.
      return own >> 4 == virtual >> 4 ? own : virtual & 0xf0
    }
    nonmutating set {
      guard isEmulated else { return processor.writeAPIC(.taskPriority, newValue) }
      state.apic.software.taskPriority = newValue
      unit.taskPriority = UInt8(truncatingIfNeeded: newValue)
    }
  }

  @inline(never)
  func readEmulated(_ register: APICRegister) -> UInt32 {
    switch register {
    case .taskPriority: return taskPriority
    case .processorPriority: return state.apic.software.processorPriority(taskPriority)
    case .spuriousVector: return state.apic.software.spuriousVector
    case .errorStatus: return state.apic.software.errorStatus
    case .lvtTimer: return state.apic.software.lvtTimer
    case .lvtError: return state.apic.software.lvtError
    case .timerInitialCount, .timerCurrentCount, .timerDivide: return readTimer(register)
    default: break
    }
    let number = register.rawValue
    if number < APICRegister.triggerMode0.rawValue {
      return state.apic.software.service[register: number - APICRegister.inService0.rawValue]
    }
    // The guest may have sent itself one.
    processor.takeInterrupts()
    acceptTaken()
    return state.apic.software.requests[register: number - APICRegister.request0.rawValue]
  }

  @inline(never)
  func writeEmulated(_ register: APICRegister, _ value: UInt32) {
    switch register {
    case .taskPriority: taskPriority = value
    case .spuriousVector:
      state.apic.software.spuriousVector = value
      // LVT entries are masked then, and stay so. SDM vol. 3, 11.4.7.2.
      if !state.apic.software.isEnabled {
        state.apic.software.lvtError |= APICRegister.lvtMasked
        writeTimerVector(state.apic.software.lvtTimer)
      }
    case .errorStatus:
      state.apic.software.errorStatus = state.apic.software.errors
      state.apic.software.errors = 0
    case .lvtError: state.apic.software.lvtError = maskedIfOff(value)
    case .lvtTimer: writeTimerVector(value)
    case .timerInitialCount, .timerDivide: writeTimer(register, value)
    default: break
    }
  }

  func maskedIfOff(_ entry: UInt32) -> UInt32 {
    state.apic.software.isEnabled ? entry : entry | APICRegister.lvtMasked
  }

  /// SDM vol. 3, 11.5.3: the error is noted, and its own interrupt is requested when it is the first.
  func note(_ error: UInt32) {
    guard isEmulated else { return }
    let isFirst = state.apic.software.errors & error == 0
    state.apic.software.errors |= error
    let entry = state.apic.software.lvtError
    guard isFirst, entry & APICRegister.lvtMasked == 0, entry & 0xff >= 16 else { return }
    acceptInterrupt(UInt8(truncatingIfNeeded: entry))
  }

  func clearEmulatedAPIC() {
    processor.takeInterrupts()
    dropTaken()
    state.apic.software = SoftwareAPIC()
    taskPriority = 0
    stopTimer()
  }

  private func dropTaken() {
    for word in 0..<4 { _ = processor.takenInterrupts(word) }
  }

  // MARK: From the one to the other

  func beginTakingInterrupts() {
    dropTaken()
    processor.beginTakingInterrupts()
    unit.interruptExiting = true
    state.attention.insert(.emulatedAPIC)
  }
  func endTakingInterrupts() {
    processor.endTakingInterrupts()
    unit.interruptWindowExiting = false
    unit.awaitTaskPriority(below: 0)
    unit.interruptExiting = false
    state.attention.remove(.emulatedAPIC)
    state.attention.insert(.events)
  }

  /// KVM_APUS_SET_TIMER.
  func chooseTimer(_ choice: apus_timer_choice) -> Int64 {
    guard choice.reserved == 0, let policy = TimerPolicy(rawValue: UInt8(clamping: choice.policy))
    else { return -EINVAL_ }
    guard vm.irqchip != APUS_IRQCHIP_NONE else { return -ENXIO_ }
    guard policy != .preemption || unit.hasTimer else { return -EOPNOTSUPP_ }
    state.apic.wantedPolicy = policy
    followPolicy()
    return 0
  }

  /// The policy that is wanted, unless the guest has an interrupt in service and is to have the real APIC:
  /// an interrupt of the same vector that came while that took the other's place would be lost. The guest's
  /// EOI exits, and this is asked again.
  func followPolicy() {
    let wanted = state.apic.wantedPolicy
    let old = state.apic.policy
    guard wanted != old else { return }
    if wanted == .direct {
      withdrawInterrupt()
      guard state.apic.software.service.isEmpty else { return }
      if old == .preemption { giveTimerBack() }
      endEmulation()
    } else {
      if old == .direct {
        beginEmulation()
        state.apic.policy = .monitor
        taskPriority = state.apic.software.taskPriority
        writeTimerVector(state.apic.software.lvtTimer)
      }
      if wanted == .preemption { takeTimer() } else if old == .preemption { giveTimerBack() }
    }
    interceptAPIC()
  }

  /// The timer of the real APIC goes on. What else that has becomes the emulated one's, and
  /// nothing that comes meanwhile is lost: it is taken, now or at the next entry.
  private func beginEmulation() {
    beginTakingInterrupts()
    var software = SoftwareAPIC()
    software.taskPriority = processor.readAPIC(.taskPriority)
    software.spuriousVector = processor.readAPIC(.spuriousVector)
    software.lvtTimer = processor.readAPIC(.lvtTimer)
    software.lvtError = processor.readAPIC(.lvtError)
    software.errorStatus = processor.readAPIC(.errorStatus)
    for word in UInt8(1)..<8 {
      let register = APICRegister(rawValue: APICRegister.inService0.rawValue + word)
      software.service[register: word] = processor.readAPIC(register)
    }
    state.apic.software = software
    state.apic.ownsInjection = false
    processor.writeAPIC(.lvtError, APICRegister.lvtMasked)
    // Takes what waits, which an APIC that is off would hold.
    processor.emptyAPIC()
  }

  private func endEmulation() {
    let software = state.apic.software
    let priority = taskPriority
    endTakingInterrupts()
    acceptTaken()
    state.apic.policy = .direct
    processor.writeAPIC(.taskPriority, priority)
    processor.writeAPIC(.lvtError, software.lvtError)
    setRealTimerVector(software.lvtTimer)
    requestAll(state.apic.software.requests)
    // Last: one that is off would not take them.
    processor.writeAPIC(.spuriousVector, software.spuriousVector)
  }
}
