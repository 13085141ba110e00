// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// KVM_GET_LAPIC and KVM_SET_LAPIC: the registers in the layout of the xAPIC page.
extension VirtualCPU {
  func getLAPIC() -> Int64 {
    unsafe pages.payload.initializeMemory(as: UInt8.self, repeating: 0, count: 1024)
    for number in UInt8(0)..<0x40 {
      let register = APICRegister(rawValue: number)
      if let value = readXAPIC(register) {
        unsafe pages.payload.storeBytes(of: value, toByteOffset: Int(number) << 4, as: UInt32.self)
      }
    }
    return 0
  }

  /// -EINVAL: interrupts in service that no APIC could have there.
  func setLAPIC() -> Int64 {
    func register(_ register: APICRegister) -> UInt32 {
      unsafe pages.payload.load(fromByteOffset: Int(register.rawValue) << 4, as: UInt32.self)
    }
    func vectors(_ first: APICRegister) -> VectorSet {
      var vectors = VectorSet()
      for word in UInt8(0)..<8 {
        vectors[register: word] = register(APICRegister(rawValue: first.rawValue + word))
      }
      return vectors
    }
    var saved = SoftwareAPIC()
    saved.service = vectors(.inService0)
    guard saved.service.canBeInService else { return -EINVAL_ }
    saved.taskPriority = register(.taskPriority)
    saved.spuriousVector = register(.spuriousVector)
    saved.lvtTimer = register(.lvtTimer)
    saved.lvtError = register(.lvtError)
    // What is left of a one-shot timer: QEMU leaves that out, and KVM lets the timer expire then.
    let isOneShot = saved.lvtTimer >> 17 & 3 == 0
    saved.timerInitialCount = register(.timerInitialCount)
    if isOneShot, saved.timerInitialCount != 0 {
      saved.timerInitialCount = max(register(.timerCurrentCount), 1)
    }
    saved.timerDivide = register(.timerDivide)
    saved.requests = vectors(.request0)
    // The first 16 vectors are the processor's own and cannot be requested.
    saved.requests[register: 0] &= 0xffff_0000
    // Whose EOI the I/O APIC waits for.
    for word in UInt8(0)..<8 {
      let level = register(APICRegister(rawValue: APICRegister.triggerMode0.rawValue + word))
      state.triggerModes[register: word] = level
      state.levelVectors[register: word] =
        level & (saved.service[register: word] | saved.requests[register: word])
    }
    interceptEOI()
    state.apic.logicalDestination = register(.logicalDestination) & 0xff00_0000
    state.apic.destinationFormat = register(.destinationFormat) | 0x0fff_ffff
    state.apic.commandHigh = register(.interruptCommandHigh)
    state.apic.lint0 = register(.lvtLINT0) & LocalVector.pinMask
    state.apic.lint1 = register(.lvtLINT1) & LocalVector.pinMask
    state.apic.performance = register(.lvtPerformance) & LocalVector.internalMask
    state.apic.thermal = register(.lvtThermal) & LocalVector.internalMask
    clearAPIC()
    state.apic.software = saved
    loadAPIC()
    publishAPIC()
    updateLines()
    return 0
  }
}
