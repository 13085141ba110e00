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
    state.possibleCR4 = CR4.possible(
      basic: processor.cpuid(1, 0), structured: processor.cpuid(7, 0))
    state.offeredCR4 = state.possibleCR4
    if cpuidTable.count != 0 {
      state.offeredCR4 &= CR4.possible(
        basic: cpuidTable.answer(1, 0), structured: cpuidTable.answer(7, 0))
    }
    unit.interceptCR4(hidden: state.possibleCR4 & ~state.offeredCR4)
  }
}

extension CR4 {
  /// The bits that a processor with these leaves of CPUID (1 and 7) has. SDM vol. 3, 2.5. VMXE, SMXE and
  /// what needs MSRs that are not switched (CET, UINTR, PKS) are not among them.
  static func possible(basic: CPUIDRegisters, structured: CPUIDRegisters) -> UInt64 {
    // VME to OSXMMEXCPT.
    var bits: UInt64 = 0x7ff
    func add(_ bit: UInt64, _ register: UInt32, _ feature: UInt32) {
      if register >> feature & 1 != 0 { bits |= 1 << bit }
    }
    add(11, structured.ecx, 2)  // UMIP
    add(12, structured.ecx, 16)  // LA57
    add(16, structured.ebx, 0)  // FSGSBASE
    add(17, basic.ecx, 17)  // PCIDE
    add(18, basic.ecx, 26)  // OSXSAVE
    add(20, structured.ebx, 7)  // SMEP
    add(21, structured.ebx, 20)  // SMAP
    add(22, structured.ecx, 3)  // PKE
    return bits
  }
}
