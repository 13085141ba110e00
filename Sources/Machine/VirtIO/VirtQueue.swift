// SPDX-License-Identifier: Apache-2.0
import LinuxCalls

/// The device's side of a split virtqueue (Virtual I/O Device 1.2, 2.7). The guest writes all of it at
/// any time: everything that is read is read once, and checked before it is used.
struct VirtQueue {
  /// Where the guest says that the parts of a queue are.
  struct Layout: Equatable, Sendable {
    /// Descriptors: a power of two.
    var size: UInt16 = 0
    var descriptors: UInt64 = 0
    var available: UInt64 = 0
    var used: UInt64 = 0
  }

  /// What the guest handed over with one chain of descriptors.
  struct Chain {
    /// The index of its first descriptor, by which it is handed back.
    var head: UInt16
    /// What the device may read, then what it may write.
    var readable: [UnsafeMutableRawBufferPointer] = []
    var writable: [UnsafeMutableRawBufferPointer] = []
  }

  /// What no driver does that follows the specification: the queue is of no use any more.
  enum Violation: Error, Equatable {
    /// The queue's size is no power of two, or a part of it is misaligned or not in memory.
    case layout
    /// More chains are available than the queue has descriptors.
    case availableIndex
    /// An index of a descriptor that is beyond the table.
    case descriptorIndex
    /// More descriptors than the queue has: they go in a circle, for instance.
    case endlessChain
    /// A buffer that is not, or not all, in memory.
    case bufferOutsideMemory
    /// One to read behind one to write.
    case bufferOrder
    /// A table of indirect descriptors in another one, or with a successor, or of an odd size.
    case indirectTable
  }

  private static let descriptorSize = 16
  private enum Flag {
    static let next: UInt16 = 1
    static let write: UInt16 = 2
    static let indirect: UInt16 = 4
    /// VIRTQ_AVAIL_F_NO_INTERRUPT and VIRTQ_USED_F_NO_NOTIFY.
    static let suppress: UInt16 = 1
  }

  private let size: UInt16
  private let descriptors: UnsafeRawBufferPointer
  private let available: UnsafeMutableRawPointer
  private let used: UnsafeMutableRawPointer
  private let memory: GuestMemory
  /// How many chains were taken and handed back, as far as 16 bits count.
  private var taken: UInt16 = 0
  private var returned: UInt16 = 0

  init(_ layout: Layout, in memory: GuestMemory) throws(Violation) {
    let size = Int(layout.size)
    guard size > 0, size & (size - 1) == 0,
      layout.descriptors % 16 == 0, layout.available % 2 == 0, layout.used % 4 == 0,
      let descriptors = memory.bytes(at: layout.descriptors, size: size * Self.descriptorSize),
      let available = memory.bytes(at: layout.available, size: 6 + 2 * size)?.baseAddress,
      let used = memory.bytes(at: layout.used, size: 6 + 8 * size)?.baseAddress
    else { throw .layout }
    self.size = layout.size
    self.descriptors = UnsafeRawBufferPointer(descriptors)
    self.available = available
    self.used = used
    self.memory = memory
  }

  /// The oldest chain that waits; nil: none does.
  mutating func next() throws(Violation) -> Chain? {
    let waiting = loadAcquire16(available + 2) &- taken
    guard waiting > 0 else { return nil }
    guard waiting <= size else { throw .availableIndex }
    let head = loadAcquire16(available + 4 + 2 * Int(taken % size))
    let chain = try chain(from: head)
    taken &+= 1
    return chain
  }

  /// Hands a chain back, with `written` bytes of it written.
  mutating func put(_ chain: Chain, written: Int) {
    let element = used + 4 + 8 * Int(returned % size)
    element.storeBytes(of: UInt32(chain.head), as: UInt32.self)
    element.storeBytes(of: UInt32(clamping: written), toByteOffset: 4, as: UInt32.self)
    returned &+= 1
    storeRelease16(used + 2, returned)
  }

  /// Whether the guest is to be interrupted for what was handed back.
  var wantsInterrupt: Bool {
    // The guest asks for interrupts and then looks at the index: the index must be written by now.
    fullBarrier()
    return loadAcquire16(available) & Flag.suppress == 0
  }

  /// While the device looks for chains by itself, the guest's notifications tell it nothing. Whoever
  /// asks for them again looks once more.
  func wantNotifications(_ wanted: Bool) {
    storeRelease16(used, wanted ? 0 : Flag.suppress)
    fullBarrier()
  }

  private struct Descriptor {
    var address: UInt64
    var length: UInt32
    var flags: UInt16
    var next: UInt16

    /// `bytes` has all 16 of it.
    init(_ bytes: UnsafeRawBufferPointer, at index: Int) {
      let start = index * VirtQueue.descriptorSize
      address = bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)
      length = bytes.loadUnaligned(fromByteOffset: start + 8, as: UInt32.self)
      flags = bytes.loadUnaligned(fromByteOffset: start + 12, as: UInt16.self)
      next = bytes.loadUnaligned(fromByteOffset: start + 14, as: UInt16.self)
    }
  }

  private func chain(from head: UInt16) throws(Violation) -> Chain {
    var chain = Chain(head: head)
    var table = descriptors
    var isIndirect = false
    var index = Int(head)
    // A chain has no more descriptors than the queue, beside the one that names a table of them
    // (2.7.5.3.1); and there is one table at most.
    for _ in 0...Int(size) {
      guard index < table.count / Self.descriptorSize else { throw .descriptorIndex }
      let descriptor = Descriptor(table, at: index)
      if descriptor.flags & Flag.indirect != 0 {
        guard !isIndirect, descriptor.flags & Flag.next == 0 else { throw .indirectTable }
        table = try indirectTable(descriptor)
        isIndirect = true
        index = 0
        continue
      }
      guard chain.readable.count + chain.writable.count < Int(size) else { throw .endlessChain }
      try append(descriptor, to: &chain)
      guard descriptor.flags & Flag.next != 0 else { return chain }
      index = Int(descriptor.next)
    }
    throw .endlessChain
  }

  private func indirectTable(_ descriptor: Descriptor) throws(Violation) -> UnsafeRawBufferPointer {
    let length = Int(descriptor.length)
    guard length > 0, length % Self.descriptorSize == 0 else { throw .indirectTable }
    guard let bytes = memory.bytes(at: descriptor.address, size: length) else {
      throw .bufferOutsideMemory
    }
    return UnsafeRawBufferPointer(bytes)
  }

  private func append(_ descriptor: Descriptor, to chain: inout Chain) throws(Violation) {
    guard let buffer = memory.bytes(at: descriptor.address, size: Int(descriptor.length)) else {
      throw .bufferOutsideMemory
    }
    if descriptor.flags & Flag.write != 0 {
      chain.writable.append(buffer)
    } else {
      guard chain.writable.isEmpty else { throw .bufferOrder }
      chain.readable.append(buffer)
    }
  }
}
