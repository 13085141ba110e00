// SPDX-License-Identifier: Apache-2.0
import X86

/// The lent CPU's own APIC is the guest's while the vCPU is bound.
extension VirtualCPU {
  /// Makes `software` the registers of the APIC in force, through the same checks as the guest's own writes:
  /// the values may be the client's. The real APIC is empty.
  func loadAPIC() {
    let saved = state.apic.software
    if isEmulated {
      beginTakingInterrupts()
    } else {
      // The lowest first: each interrupts the handler of the one before.
      var service = saved.service
      while let vector = service.popFirst() { processor.putInService(vector) }
    }
    _ = writeCommon(.spuriousVector, saved.spuriousVector)
    _ = writeCommon(.taskPriority, saved.taskPriority & 0xff)
    _ = writeCommon(.lvtError, saved.lvtError)
    _ = writeCommon(.timerDivide, saved.timerDivide)
    _ = writeCommon(.lvtTimer, saved.lvtTimer)
    _ = writeCommon(.timerInitialCount, saved.timerInitialCount)
    if saved.tscDeadline != 0, offersTSCDeadline {
      realDeadline = saved.tscDeadline
    }
    if !isEmulated { requestAll(saved.requests) }
  }

  /// Has the real APIC request these vectors.
  func requestAll(_ vectors: VectorSet) {
    var vectors = vectors
    while let vector = vectors.popFirst() {
      processor.writeAPIC(.selfInterrupt, UInt32(vector))
    }
  }

  /// Leaves the vCPU's registers in `software`, and the real APIC empty.
  func saveAPIC() {
    if isEmulated {
      state.apic.software.taskPriority = taskPriority
      saveTimer()
      endTakingInterrupts()
      processor.drainAPIC()
      acceptTaken()
    } else {
      saveRealAPIC()
    }
  }

  /// What the timer has, which goes on.
  func saveTimer() {
    state.apic.software.timerDivide = readTimer(.timerDivide)
    let remaining = readTimer(.timerCurrentCount)
    let mode = state.apic.software.timerMode
    state.apic.software.timerInitialCount =
      mode == .periodic ? readTimer(.timerInitialCount) : remaining
    state.apic.software.tscDeadline = 0
    if mode == .deadline {
      let deadline = realDeadline
      // One that is past stands in the request register; Bochs goes on showing it (measured).
      if deadline > processor.timestamp() { state.apic.software.tscDeadline = deadline }
    }
  }

  /// Takes the vCPU's registers out of the real APIC and empties that.
  private func saveRealAPIC() {
    var saved = SoftwareAPIC()
    saved.lvtTimer = processor.readAPIC(.lvtTimer)
    saved.lvtError = processor.readAPIC(.lvtError)
    saved.spuriousVector = processor.readAPIC(.spuriousVector)
    saved.taskPriority = processor.readAPIC(.taskPriority)
    for word in UInt8(0)..<8 {
      let base = APICRegister.request0.rawValue + word
      saved.requests[register: word] = processor.readAPIC(APICRegister(rawValue: base))
      let service = APICRegister.inService0.rawValue + word
      // A vector that is an exception's is not put back, and its EOI does nothing.
      if word > 0 {
        saved.service[register: word] = processor.readAPIC(APICRegister(rawValue: service))
      }
    }
    state.apic.software = saved
    saveTimer()
    clearRealAPIC()
  }

  /// Nothing requested, nothing in service, no timer.
  func clearAPIC() {
    if isEmulated { clearEmulatedAPIC() } else { clearRealAPIC() }
  }

  func clearRealAPIC() {
    processor.drainAPIC()
  }
}
