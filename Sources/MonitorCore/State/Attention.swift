// SPDX-License-Identifier: Apache-2.0

/// What has to be looked at before the next entry. Whoever changes a fact sets its bit; an entry asks
/// this one word.
public struct Attention: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// An event waits for the guest: an NMI, an interrupt that was put off, or the PICs'.
  public static let events = Attention(rawValue: 1 << 0)
  /// The PIT's channel 0 is no longer what the processor's timer is armed for.
  public static let timer = Attention(rawValue: 1 << 1)
  /// The unit's copy of PAE's first level is older than the control registers.
  public static let pageDirectoryPointers = Attention(rawValue: 1 << 2)
  /// The vCPU may not run: see `VirtualCPUState.activity`.
  public static let activity = Attention(rawValue: 1 << 3)

  /// A debugger in the client: see `VirtualCPU.beginDebugging`.
  public static let debugger = Attention(rawValue: 1 << 4)
  /// The local APIC is emulated: each entry asks it. Set as long as it is.
  public static let emulatedAPIC = Attention(rawValue: 1 << 5)

  /// The driver wants events: see `VirtualCPU.traceEvent`. Stands as long as it does, and only then.
  public static let tracing = Attention(rawValue: 1 << 6)

  /// Whatever may wait for a vCPU that comes to a CPU.
  public static var all: Attention { Attention(rawValue: 0x1f) }
}
