// SPDX-License-Identifier: Apache-2.0
import Contract
import Emulator
import X86

/// Everything of a vCPU that neither the control block nor the real CPU holds: in the vCPU
/// area's private pages.
public struct VirtualCPUState {
  public var isInitialised = true
  /// What the next entry has to look at first.
  public var attention = Attention.all
  public var registers = GuestRegisters()
  /// Of `VirtualCPU.cpuidTable`.
  public var cpuidDirectory = CPUIDDirectory(count: 0)
  public var msrs = StoredMSRs()
  public var features: Features = []
  var offeredEFER = EFER(rawValue: 0)
  /// What the processor has, whatever CPUID tells the guest.
  var possibleCR4: UInt64 = 0
  /// Those of them that CPUID tells the guest of; all of them while the client has set no CPUID.
  var offeredCR4: UInt64 = 0
  public var activity = Activity.running {
    didSet { attention.insert(.activity) }
  }
  public var apic: VirtualAPIC
  /// A KVM_EXIT_IO input whose data comes with the next KVM_RUN.
  public var pendingPort: PortAccess? = nil
  /// A KVM_EXIT_X86_RDMSR or KVM_EXIT_X86_WRMSR that the client answers with the next KVM_RUN.
  public var pendingMSR: MSRAccess? = nil
  /// Physical address of the struct apus_msr_filter in force; 0: none.
  var msrFilter: UInt64 = 0
  /// An instruction that the monitor executes may wait for the client's answer.
  public var emulator = Emulator()
  public var xcr0: UInt64 = 1
  public var tscAuxiliary: UInt64 = 0
  public var debugAddresses: InlineArray<4, UInt64> = InlineArray(repeating: 0)
  /// NMIs that wait for the guest: see `pendNMIs`.
  public var pendingNMIs: UInt8 = 0 {
    didSet { attention.insert(.events) }
  }
  /// The vector of an interrupt that has been acknowledged and has to wait for another event.
  public var deferredInterrupt: UInt8? = nil {
    didSet { attention.insert(.events) }
  }
  /// The PIT's channel 0 on a processor with a timer for it: a value of the TSC (nil: it is stopped), and
  /// TSC ticks (0: it rings once).
  public var timerDeadline: UInt64? = nil
  public var timerPeriod: UInt64 = 0
  /// TSC ticks in a tick of the local APIC's timer, times 2 to the power of 20; 0: not measured.
  var apicTimerRatio: UInt64 = 0
  /// Vectors of level-triggered lines that were sent to this vCPU and not yet ended.
  public var levelVectors = VectorSet()
  /// Those that came from such a line the last time: see `VirtualCPU.readCommon`.
  var triggerModes = VectorSet()
  /// Those that the guest has ended and the client has not been told of: KVM_EXIT_IOAPIC_EOI.
  public var endedLevels = VectorSet()
  /// kvmclock's page: guest-physical address with bit 0 as enable.
  public var systemTimeMSR: UInt64 = 0
  public var wallClockMSR: UInt64 = 0
  public var systemTimeVersion: UInt32 = 0
  /// KVM_CAP_ENFORCE_PV_FEATURE_CPUID.
  var enforcesParavirtualFeatures = false
  /// A triple fault that the client caused.
  var shutdownPending = false
  var debugger = Debugger()

  var guestPages = GuestPages()
  /// The exit asks the driver for a page, not the client.
  var isPageMissing = false
  /// The frame of a page that the driver could not find: the next access to it is the client's.
  var clientsPage = VirtualCPUState.noPage
  static var noPage: UInt64 { .max }

  public init(id: UInt32, bootstrap: Bool) {
    apic = VirtualAPIC(id: id, bootstrap: bootstrap)
    activity = bootstrap ? .running : .uninitialized
  }
}

/// KVM_GET_MP_STATE. HLT does not exit, so a vCPU is never KVM_MP_STATE_HALTED.
public enum Activity: UInt32, Sendable {
  case running = 0
  /// After INIT.
  case waitingForStartUp = 1
  /// Never started: it takes a start-up too. SDM vol. 3, 9.4.3.
  case uninitialized = 2
}
