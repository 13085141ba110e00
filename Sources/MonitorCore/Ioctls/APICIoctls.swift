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

  /// An interrupt in service cannot be put back into a real APIC, so a state with one is
  /// refused.
  func setLAPIC() -> Int64 {
    func register(_ register: APICRegister) -> UInt32 {
      unsafe pages.payload.load(fromByteOffset: Int(register.rawValue) << 4, as: UInt32.self)
    }
    for word in UInt8(0)..<8
    where register(APICRegister(rawValue: APICRegister.inService0.rawValue + word)) != 0 {
      return -EINVAL_
    }
    var saved = SavedAPIC()
    saved.taskPriority = register(.taskPriority)
    saved.spuriousVector = register(.spuriousVector)
    saved.lvtTimer = register(.lvtTimer)
    saved.lvtError = register(.lvtError)
    saved.timerInitialCount = register(.timerInitialCount)
    saved.timerDivide = register(.timerDivide)
    for word in UInt8(0)..<8 {
      saved.requests[Int(word)] = register(
        APICRegister(rawValue: APICRegister.request0.rawValue + word))
    }
    // The first 16 vectors are the processor's own and cannot be requested.
    saved.requests[0] &= 0xffff_0000
    state.apic.saved = saved
    state.apic.logicalDestination = register(.logicalDestination) & 0xff00_0000
    state.apic.destinationFormat = register(.destinationFormat) | 0x0fff_ffff
    state.apic.commandHigh = register(.interruptCommandHigh)
    state.apic.lint0 = register(.lvtLINT0) & LocalVector.pinMask
    state.apic.lint1 = register(.lvtLINT1) & LocalVector.pinMask
    state.apic.performance = register(.lvtPerformance) & LocalVector.internalMask
    state.apic.thermal = register(.lvtThermal) & LocalVector.internalMask
    clearRealAPIC()
    loadRealAPIC()
    publishAPIC()
    updateLines()
    return 0
  }
}
