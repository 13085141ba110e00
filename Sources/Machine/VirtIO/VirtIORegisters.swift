// SPDX-License-Identifier: Apache-2.0

/// A virtio device's common configuration (Virtual I/O Device 1.2, 4.1.4.3): status, features and
/// queues, as the driver negotiates them.
struct VirtIORegisters {
  /// What a write asks of the device.
  enum Request: Equatable {
    case start
    case reset
  }

  struct Queue: Equatable {
    var layout: VirtQueue.Layout
    var vector = VirtIORegisters.noVector
    var isEnabled = false
  }

  /// 2.1
  enum Status {
    static let driverOK: UInt8 = 4
    static let featuresOK: UInt8 = 8
    static let needsReset: UInt8 = 64
  }

  /// VIRTIO_MSI_NO_VECTOR.
  static let noVector: UInt16 = 0xffff
  /// Bytes.
  static let size = 0x38

  private let offered: UInt64
  private let queueSizes: [UInt16]
  private let vectors: UInt16

  private(set) var status: UInt8 = 0
  /// What the driver has taken; final once FEATURES_OK stands.
  private(set) var features: UInt64 = 0
  private(set) var configurationVector = noVector
  private(set) var queues: [Queue]
  private var offeredSelect: UInt32 = 0
  private var featuresSelect: UInt32 = 0
  private var queueSelect: UInt16 = 0

  /// `vectors`: how many interrupts the device has.
  init(features: UInt64, queueSizes: [UInt16], vectors: UInt16) {
    offered = features | VirtIOFeature.version1
    self.queueSizes = queueSizes
    self.vectors = vectors
    queues = queueSizes.map { Queue(layout: .init(size: $0)) }
  }

  func read(_ offset: Int) -> UInt64 {
    switch offset {
    case 0x00: UInt64(offeredSelect)
    case 0x04: Self.half(offered, offeredSelect)
    case 0x08: UInt64(featuresSelect)
    case 0x0c: Self.half(features, featuresSelect)
    case 0x10: UInt64(configurationVector)
    case 0x12: UInt64(queues.count)
    case 0x14: UInt64(status)
    case 0x16: UInt64(queueSelect)
    default: selected.map { Self.read($0, offset, number: queueSelect) } ?? 0
    }
  }

  private static func half(_ bits: UInt64, _ select: UInt32) -> UInt64 {
    select < 2 ? bits >> (32 * UInt64(select)) & 0xffff_ffff : 0
  }

  private var selected: Queue? {
    Int(queueSelect) < queues.count ? queues[Int(queueSelect)] : nil
  }

  private static func read(_ queue: Queue, _ offset: Int, number: UInt16) -> UInt64 {
    switch offset {
    case 0x18: UInt64(queue.layout.size)
    case 0x1a: UInt64(queue.vector)
    case 0x1c: queue.isEnabled ? 1 : 0
    case 0x1e: UInt64(number)  // the place of its notifications
    case 0x20: queue.layout.descriptors
    case 0x24: queue.layout.descriptors >> 32
    case 0x28: queue.layout.available
    case 0x2c: queue.layout.available >> 32
    case 0x30: queue.layout.used
    case 0x34: queue.layout.used >> 32
    default: 0
    }
  }

  /// `value` has no bits beyond `size` bytes.
  mutating func write(_ offset: Int, _ value: UInt64, size: Int) -> Request? {
    switch offset {
    case 0x00: offeredSelect = UInt32(truncatingIfNeeded: value)
    case 0x08: featuresSelect = UInt32(truncatingIfNeeded: value)
    case 0x0c: takeFeatures(UInt32(truncatingIfNeeded: value))
    case 0x10: configurationVector = known(value)
    case 0x14: return setStatus(UInt8(truncatingIfNeeded: value))
    case 0x16: queueSelect = UInt16(truncatingIfNeeded: value)
    default: writeQueue(offset, value, size: size)
    }
    return nil
  }

  private func known(_ vector: UInt64) -> UInt16 {
    vector < UInt64(vectors) ? UInt16(vector) : Self.noVector
  }

  private mutating func takeFeatures(_ value: UInt32) {
    guard status & Status.featuresOK == 0, featuresSelect < 2 else { return }
    let shift = 32 * UInt64(featuresSelect)
    features = features & ~(0xffff_ffff << shift) | UInt64(value) << shift
  }

  private mutating func setStatus(_ value: UInt8) -> Request? {
    guard value != 0 else {
      self = Self(
        features: offered, queueSizes: queueSizes, vectors: vectors)
      return .reset
    }
    var added = value & ~status
    let isAcceptable = features & ~offered == 0 && features & VirtIOFeature.version1 != 0
    if !isAcceptable { added &= ~Status.featuresOK }
    status |= added & ~Status.needsReset
    let isReady = status & Status.featuresOK != 0 && status & Status.needsReset == 0
    return added & Status.driverOK != 0 && isReady ? .start : nil
  }

  private mutating func writeQueue(_ offset: Int, _ value: UInt64, size: Int) {
    let index = Int(queueSelect)
    // The device uses what was written until it is reset.
    guard index < queues.count, status & Status.driverOK == 0 else { return }
    func part(of word: UInt64) -> UInt64 {
      if size == 8 { return value }
      return offset & 4 == 0
        ? word & ~0xffff_ffff | value & 0xffff_ffff : word & 0xffff_ffff | value << 32
    }
    switch offset {
    case 0x18: queues[index].layout.size = min(UInt16(truncatingIfNeeded: value), queueSizes[index])
    case 0x1a: queues[index].vector = known(value)
    case 0x1c: queues[index].isEnabled = value == 1
    case 0x20, 0x24: queues[index].layout.descriptors = part(of: queues[index].layout.descriptors)
    case 0x28, 0x2c: queues[index].layout.available = part(of: queues[index].layout.available)
    case 0x30, 0x34: queues[index].layout.used = part(of: queues[index].layout.used)
    default: break
    }
  }

  /// The device cannot go on before the driver resets it (2.1.2).
  mutating func needReset() { status |= Status.needsReset }
}
