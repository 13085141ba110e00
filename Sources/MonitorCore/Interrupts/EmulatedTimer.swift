// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// The timer of an emulated local APIC: the lent CPU's own, or, with `TimerPolicy.preemption`, a deadline at
/// which the VMX-preemption timer ends the guest's run. SDM vol. 3, 11.5.4.
extension VirtualCPU {
  private var isInSoftware: Bool { state.apic.policy == .preemption }

  /// LVT. The real APIC's interrupts are the monitor's to take: none below 16, on which QEMU's raises
  /// exceptions.
  func writeTimerVector(_ entry: UInt32) {
    let old = state.apic.software.timerMode
    let entry = maskedIfOff(entry)
    state.apic.software.lvtTimer = entry
    let isIllegal = entry & 0xff < 16 && entry & APICRegister.lvtMasked == 0
    guard isInSoftware else {
      if isIllegal { note(APICError.receivedIllegalVector) }
      setRealTimerVector(isIllegal ? entry | APICRegister.lvtMasked : entry)
      return
    }
    let mode = state.apic.software.timerMode
    guard mode != old else { return }
    // A change to or from TSC-deadline mode stops the timer.
    if mode == .deadline || old == .deadline {
      state.apic.software.timerInitialCount = 0
      ring(at: 0, every: 0)
    } else if state.apic.software.ringsAt != 0 {
      ring(at: state.apic.software.ringsAt, every: period)
    }
  }
  func setRealTimerVector(_ entry: UInt32) {
    if processor.readAPIC(.lvtTimer) != entry { processor.writeAPIC(.lvtTimer, entry) }
  }

  func readTimer(_ register: APICRegister) -> UInt32 {
    guard isInSoftware else { return processor.readAPIC(register) }
    switch register {
    case .timerInitialCount: return state.apic.software.timerInitialCount
    case .timerDivide: return state.apic.software.timerDivide
    default: return state.apic.software.timerMode == .deadline ? 0 : currentCount
    }
  }

  func writeTimer(_ register: APICRegister, _ value: UInt32) {
    guard isInSoftware else {
      processor.writeAPIC(register, value)
      return
    }
    guard register == .timerInitialCount else {
      let remaining = currentCount
      state.apic.software.timerDivide = value
      if state.apic.software.ringsAt != 0, state.apic.software.timerMode != .deadline {
        ring(at: processor.timestamp() &+ ticks(remaining), every: period)
      }
      return
    }
    guard state.apic.software.timerMode != .deadline else { return }
    state.apic.software.timerInitialCount = value
    ring(at: value == 0 ? 0 : max(processor.timestamp() &+ ticks(value), 1), every: period)
  }

  func stopTimer() {
    if isInSoftware { ring(at: 0, every: 0) }
    processor.writeAPIC(.lvtTimer, APICRegister.lvtMasked)
    processor.writeAPIC(.timerInitialCount, 0)
    processor.writeAPIC(.timerDivide, 0)
  }

  /// IA32_TSC_DEADLINE, as the CPU's TSC counts.
  var realDeadline: UInt64 {
    get {
      guard isInSoftware else { return processor.readMSR(.tscDeadline) }
      return state.apic.software.timerMode == .deadline ? state.apic.software.ringsAt : 0
    }
    nonmutating set {
      guard isInSoftware else {
        processor.writeMSR(.tscDeadline, newValue)
        return
      }
      // In another mode a write does nothing.
      if state.apic.software.timerMode == .deadline { ring(at: newValue, every: 0) }
    }
  }

  private func ring(at deadline: UInt64, every period: UInt64) {
    state.apic.software.ringsAt = deadline
    state.apic.software.ringsEvery = deadline == 0 ? 0 : period
    armUnit()
  }

  /// Requests the timer's vector if it is time. A periodic timer that is late by more than a period does not make
  /// up for what it has missed.
  func expireTimer() {
    let deadline = state.apic.software.ringsAt
    guard isInSoftware, deadline != 0 else { return }
    let now = processor.timestamp()
    guard now >= deadline else { return }
    let every = state.apic.software.ringsEvery
    let next = deadline &+ every
    ring(at: every == 0 ? 0 : next > now ? next : now &+ every, every: every)
    requestTimerVector()
  }

  private func requestTimerVector() {
    let entry = state.apic.software.lvtTimer
    guard entry & APICRegister.lvtMasked == 0 else { return }
    if entry & 0xff < 16 {
      note(APICError.receivedIllegalVector)
    } else {
      acceptInterrupt(UInt8(truncatingIfNeeded: entry))
    }
  }

  // MARK: Counts and ticks

  private static var ratioShift: UInt64 { 20 }

  /// A count in TSC ticks.
  private func ticks(_ count: UInt32) -> UInt64 {
    Self.scale(
      UInt64(count) * state.apic.software.divisor, by: state.apicTimerRatio, shift: Self.ratioShift)
  }

  /// One that would leave the guest no time is longer, as KVM's (min_timer_period_us).
  private var period: UInt64 {
    guard state.apic.software.timerMode == .periodic else { return 0 }
    return max(ticks(state.apic.software.timerInitialCount), shortestPeriod)
  }

  /// At least 1 as long as the timer is armed.
  private var currentCount: UInt32 {
    let deadline = state.apic.software.ringsAt
    guard deadline != 0 else { return 0 }
    let now = processor.timestamp()
    guard deadline > now else { return 1 }
    // Eight bits of the ratio's are left out, so that days fit.
    let tick = max(state.apicTimerRatio >> 8 * state.apic.software.divisor, 1)
    let limit: UInt64 = 1 << 51
    let count = min(deadline - now, limit) << 12 / tick
    return max(UInt32(clamping: count), 1)
  }

  /// The real timer's rate, over a millisecond. It is not armed.
  private func measureTimer() {
    guard state.apicTimerRatio == 0 else { return }
    processor.writeAPIC(.lvtTimer, APICRegister.lvtMasked)
    processor.writeAPIC(.timerDivide, 0xb)
    processor.writeAPIC(.timerInitialCount, .max)
    let start = processor.timestamp()
    let first = processor.readAPIC(.timerCurrentCount)
    var now = start
    while now &- start < UInt64(max(vm.tsc_khz, 1)) {
      processor.pause()
      now = processor.timestamp()
    }
    let counted = first &- processor.readAPIC(.timerCurrentCount)
    processor.writeAPIC(.timerInitialCount, 0)
    state.apicTimerRatio = (now &- start) << Self.ratioShift / UInt64(max(counted, 1))
  }

  // MARK: From the real timer, and back

  /// The real timer is masked, and then looked at once more: what it reached in between has to be requested
  /// here. If it has requested that itself before, the two are one, as the guest has not been
  /// entered.
  func takeTimer() {
    let mode = state.apic.software.timerMode
    let before = processor.timestamp()
    let armed = processor.readMSR(.tscDeadline)
    let initial = processor.readAPIC(.timerInitialCount)
    let divide = processor.readAPIC(.timerDivide)
    let first = processor.readAPIC(.timerCurrentCount)
    setRealTimerVector(state.apic.software.lvtTimer | APICRegister.lvtMasked)
    let remaining = processor.readAPIC(.timerCurrentCount)
    let now = processor.timestamp()
    processor.writeAPIC(.timerInitialCount, 0)
    measureTimer()
    state.apic.policy = .preemption
    state.apic.software.timerDivide = divide
    state.apic.software.timerInitialCount = mode == .deadline ? 0 : initial
    var isDue = false
    switch mode {
    case .once:
      isDue = first != 0 && remaining == 0
      ring(at: remaining == 0 ? 0 : now &+ ticks(remaining), every: 0)
    case .periodic:
      isDue = remaining > first
      ring(at: initial == 0 ? 0 : now &+ ticks(remaining), every: period)
    case .deadline:
      let isArmed = armed > before
      isDue = isArmed && armed <= now
      ring(at: isArmed && armed > now ? armed : 0, every: 0)
      processor.writeMSR(.tscDeadline, 0)
    case .reserved: ring(at: 0, every: 0)
    }
    if isDue { requestTimerVector() }
  }

  /// A periodic timer begins with a whole period.
  func giveTimerBack() {
    expireTimer()
    let mode = state.apic.software.timerMode
    let deadline = state.apic.software.ringsAt
    let count = mode == .periodic ? state.apic.software.timerInitialCount : currentCount
    ring(at: 0, every: 0)
    state.apic.policy = .monitor
    processor.writeAPIC(.timerDivide, state.apic.software.timerDivide)
    writeTimerVector(state.apic.software.lvtTimer)
    guard deadline != 0 else { return }
    if mode == .deadline {
      processor.writeMSR(.tscDeadline, deadline)
    } else {
      processor.writeAPIC(.timerInitialCount, count)
    }
  }
}
