// SPDX-License-Identifier: Apache-2.0
import X86

/// What the client offers and the processor has, as far as an exit has to know: looked up when either
/// may have changed, since CPUID exits where the monitor itself runs as a guest.
public struct Features: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The local APIC's timer has its TSC-deadline mode.
  public static let tscDeadline = Features(rawValue: 1 << 0)
  /// The guest has RDTSCP, and with it IA32_TSC_AUX.
  public static let tscAuxiliary = Features(rawValue: 1 << 1)
  /// The processor has.
  public static let processorTSCAuxiliary = Features(rawValue: 1 << 2)
}

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
