// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// Everything of a vCPU that neither the control block nor the real CPU holds: in the vCPU
/// area's private pages.
public struct VirtualCPUState {
  public var isInitialised = true
  public var registers = GuestRegisters()
  /// Entries of `VirtualCPU.cpuidTable`.
  public var cpuidCount = 0
  public var msrs = StoredMSRs()
  public var activity = Activity.running
  public var apic: VirtualAPIC
  /// A KVM_EXIT_IO input whose data comes with the next KVM_RUN.
  public var pendingPort: PortAccess? = nil
  public var pendingMMIO: PendingMMIO? = nil
  public var xcr0: UInt64 = 1
  public var tscAuxiliary: UInt64 = 0
  public var debugAddresses: InlineArray<4, UInt64> = InlineArray(repeating: 0)
  public var nmiPending = false
  /// The vector of an interrupt that has been acknowledged and has to wait for another event.
  public var deferredInterrupt: UInt8? = nil
  /// The PIT's channel 0 is no longer what the processor's timer is armed for.
  public var timerIsStale = false
  /// TSC ticks; 0: it rings once.
  public var timerPeriod: UInt64 = 0
  /// The vendor's copy of PAE's first level is older than the control registers.
  public var pageDirectoryPointersAreStale = false
  /// Vectors of level-triggered lines that were sent to this vCPU and not yet ended.
  public var levelVectors = VectorSet()
  /// kvmclock's page: guest-physical address with bit 0 as enable.
  public var systemTimeMSR: UInt64 = 0
  public var wallClockMSR: UInt64 = 0
  public var systemTimeVersion: UInt32 = 0

  public init(id: UInt32, bootstrap: Bool) {
    apic = VirtualAPIC(id: id, bootstrap: bootstrap)
    activity = bootstrap ? .running : .waitingForStartUp
  }
}

/// KVM_GET_MP_STATE. HLT does not exit, so a vCPU is never KVM_MP_STATE_HALTED.
public enum Activity: UInt32, Sendable {
  case running = 0
  case waitingForStartUp = 1
}
