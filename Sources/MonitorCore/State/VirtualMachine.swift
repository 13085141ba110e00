// SPDX-License-Identifier: Apache-2.0
import Contract
import Devices
import X86

/// What the vCPUs of a VM share: in the VM area's private pages, behind the lock with which those
/// begin.
public struct VirtualMachineState {
  public var isInitialised = false
  /// Physical address of the top nested table; 0: no slot yet.
  public var nestedRoot: HostPhysical = 0
  public var slots = MemorySlots()
  public var controllers = InterruptController()
  public var pit = PIT()
  /// The PIT's channel 0 as its changes were last looked at, and as the driver was last told.
  public var pitChange: UInt32 = 0
  /// PIT ticks in a TSC tick, times 2 to the power of 32.
  var pitScale: UInt64 = 0
  var driverTimer: PITTimer?
  /// What the client has set the vCPUs' TSCs ahead of the host's, the last time; 0: it has not.
  var tscOffset: UInt64 = 0
  var ringPace = RingPace()
  var notificationPace = RingPace()
  /// The local APICs, by vCPU id, as far as senders of interrupts need to know them.
  public var apics = InlineArray<64, APICAddress> { APICAddress(id: UInt32($0)) }
  /// Bits of `VCPURequest`, by vCPU id; set by any vCPU, then an NMI to its CPU.
  public var requests: InlineArray<64, UInt32> = InlineArray(repeating: 0)
  /// The vector of the start-up IPI, by vCPU id.
  public var startUpVectors: InlineArray<64, UInt8> = InlineArray(repeating: 0)

  /// Level-triggered vectors that a vCPU is asked to take, by its id.
  public var levelVectors: InlineArray<64, VectorSet> = InlineArray(repeating: VectorSet())

  public init() {}
}

/// What one vCPU asks of another.
public struct VCPURequest: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  public static let nonMaskableInterrupt = VCPURequest(rawValue: 1 << 0)
  public static let initialize = VCPURequest(rawValue: 1 << 1)
  public static let startUp = VCPURequest(rawValue: 1 << 2)
  /// The PICs' output or a level-triggered line changed.
  public static let external = VCPURequest(rawValue: 1 << 3)
  /// Take what stands in `levelVectors`.
  public static let levelInterrupt = VCPURequest(rawValue: 1 << 4)
  /// The PIT's channel 0 was programmed.
  public static let timer = VCPURequest(rawValue: 1 << 5)
  /// Interrupt lines have more to deliver.
  public static let lines = VCPURequest(rawValue: 1 << 6)
  /// A second NMI, sent before the first was taken.
  public static let secondNMI = VCPURequest(rawValue: 1 << 7)
}
