// SPDX-License-Identifier: Apache-2.0
import X86

/// The lent CPU's own APIC is the guest's while the vCPU is bound.
extension VirtualCPU {
  /// Through the same checks as the guest's own writes: the values may be the client's.
  func loadRealAPIC() {
    let saved = state.apic.saved
    // The lowest first: each interrupts the handler of the one before.
    var service = saved.service
    while let vector = service.popFirst() { processor.putInService(vector) }
    _ = writeCommon(.spuriousVector, saved.spuriousVector)
    _ = writeCommon(.taskPriority, saved.taskPriority & 0xff)
    _ = writeCommon(.lvtError, saved.lvtError)
    _ = writeCommon(.timerDivide, saved.timerDivide)
    _ = writeCommon(.lvtTimer, saved.lvtTimer)
    _ = writeCommon(.timerInitialCount, saved.timerInitialCount)
    if saved.tscDeadline != 0, offersTSCDeadline {
      processor.writeMSR(.tscDeadline, saved.tscDeadline)
    }
    for word in UInt8(0)..<8 {
      var bits = saved.requests[Int(word)]
      while bits != 0 {
        let bit = UInt8(bits.trailingZeroBitCount)
        bits &= bits &- 1
        processor.writeAPIC(.selfInterrupt, UInt32(word * 32 + bit))
      }
    }
  }

  /// Takes the vCPU's registers out of the real APIC and empties that.
  func saveRealAPIC() {
    var saved = SavedAPIC()
    saved.lvtTimer = processor.readAPIC(.lvtTimer)
    saved.timerDivide = processor.readAPIC(.timerDivide)
    let remaining = processor.readAPIC(.timerCurrentCount)
    let periodic = saved.lvtTimer >> 17 & 3 == 1
    saved.timerInitialCount =
      periodic ? processor.readAPIC(.timerInitialCount) : remaining
    if saved.lvtTimer >> 17 & 3 == 2 {
      let deadline = processor.readMSR(.tscDeadline)
      // One that is past stands in the request register; Bochs goes on showing it (measured).
      saved.tscDeadline = deadline > processor.timestamp() ? deadline : 0
    }
    saved.lvtError = processor.readAPIC(.lvtError)
    saved.spuriousVector = processor.readAPIC(.spuriousVector)
    saved.taskPriority = processor.readAPIC(.taskPriority)
    for word in UInt8(0)..<8 {
      let base = APICRegister.request0.rawValue + word
      saved.requests[Int(word)] = processor.readAPIC(APICRegister(rawValue: base))
      let service = APICRegister.inService0.rawValue + word
      // A vector that is an exception's is not put back, and its EOI does nothing.
      if word > 0 {
        saved.service[register: word] = processor.readAPIC(APICRegister(rawValue: service))
      }
    }
    state.apic.saved = saved
    clearRealAPIC()
  }

  func clearRealAPIC() {
    processor.drainAPIC()
  }
}
