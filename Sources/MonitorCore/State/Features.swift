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
  var offersTSCDeadline: Bool { state.features.contains(.tscDeadline) }
  var offersTSCAuxiliary: Bool { state.features.contains(.tscAuxiliary) }
  /// RDTSCP.
  var hasTSCAuxiliary: Bool { state.features.contains(.processorTSCAuxiliary) }
  var offeredEFER: EFER { state.offeredEFER }
}
