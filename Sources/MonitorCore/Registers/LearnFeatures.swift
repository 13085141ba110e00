// SPDX-License-Identifier: Apache-2.0
import X86

extension VirtualCPU {
  /// To be called at BIND and KVM_SET_CPUID2. What the client offers counts only where the processor
  /// has it: the real registers are used.
  func learnFeatures() {
    var features: Features = []
    if cpuidTable.answer(1, 0).ecx & processor.cpuid(1, 0).ecx & 1 << 24 != 0 {
      features.insert(.tscDeadline)
    }
    let extended = processor.cpuid(0x8000_0001, 0).edx
    if extended & 1 << 27 != 0 {
      features.insert(.processorTSCAuxiliary)
      if cpuidTable.answer(0x8000_0001, 0).edx & 1 << 27 != 0 { features.insert(.tscAuxiliary) }
    }
    state.features = features
    state.offeredEFER = .offered(extended)
  }
}
