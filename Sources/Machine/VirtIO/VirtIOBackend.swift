// SPDX-License-Identifier: Apache-2.0

/// What a virtio device does, whatever it is attached by. Calls come one at a time.
protocol VirtIOBackend: AnyObject, Sendable {
  var kind: VirtIOKind { get }
  /// Beside VIRTIO_F_VERSION_1, which every device has here.
  var features: UInt64 { get }
  /// The most descriptors of each queue.
  var queueSizes: [UInt16] { get }
  /// The device's own configuration, which the guest reads.
  var configuration: [UInt8] { get }

  /// The driver is ready. What was given may be used until `stop` has returned. `violated` is called, from another
  /// thread, if the guest breaks the rules of a queue later.
  func start(
    _ queues: [ReadyQueue], features: UInt64, memory: GuestMemory,
    violated: @escaping @Sendable () -> Void
  ) throws(VirtIOStartError)

  /// The guest takes its queues back: from here on none of its memory is touched. Nothing happens if
  /// it has not started.
  func stop()
}

/// A queue that the driver has set up.
struct ReadyQueue: Sendable {
  var layout: VirtQueue.Layout
  /// Is signalled when the guest has made something available.
  var notification: EventDescriptor
  /// Interrupts the guest; nil: it asked for no interrupts of this queue.
  var interrupt: EventDescriptor?
}

/// Why a device cannot do what its driver asks for: who is at fault decides what follows.
enum VirtIOStartError: Error, Equatable {
  case guest(VirtQueue.Violation)
  case host(String)
}

/// Virtual I/O Device 1.2, 5: the numbers of devices.
enum VirtIOKind: UInt16, Sendable {
  case network = 1
  case block = 2
  case entropy = 4
  case socket = 19

  /// PCI's class and subclass (PCI Code and ID Assignment Specification 1.11, 1).
  var pciClass: UInt16 {
    switch self {
    case .network: 0x0200
    case .block: 0x0100
    case .entropy: 0x1000
    case .socket: 0x0780
    }
  }
}

/// Feature bits that concern every device (6), and those of single devices.
enum VirtIOFeature {
  static let indirectDescriptors: UInt64 = 1 << 28
  static let eventIndex: UInt64 = 1 << 29
  static let version1: UInt64 = 1 << 32

  /// 5.2.3
  enum Block {
    static let sizeMaximum: UInt64 = 1 << 1
    static let segmentMaximum: UInt64 = 1 << 2
    static let readOnly: UInt64 = 1 << 5
    static let flush: UInt64 = 1 << 9
  }

  /// 5.1.3
  enum Network {
    static let checksum: UInt64 = 1 << 0
    static let guestChecksum: UInt64 = 1 << 1
    static let address: UInt64 = 1 << 5
    static let guestTSO4: UInt64 = 1 << 7
    static let guestTSO6: UInt64 = 1 << 8
    static let hostTSO4: UInt64 = 1 << 11
    static let hostTSO6: UInt64 = 1 << 12
    static let mergeableBuffers: UInt64 = 1 << 15
  }
}
