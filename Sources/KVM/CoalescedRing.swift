// SPDX-License-Identifier: Apache-2.0
import Contract

/// `struct kvm_coalesced_mmio_ring`: writes of the guest for which no exit was made, oldest first.
/// One reader at a time; the device writes meanwhile.
public struct CoalescedRing: @unchecked Sendable {
  /// KVM_COALESCED_MMIO_MAX.
  public static let capacity: UInt32 =
    (APUS_PAGE_SIZE - 8) / UInt32(MemoryLayout<kvm_coalesced_mmio>.stride)

  private let page: UnsafeMutableRawPointer

  /// `page` is mapped as long as the ring is used.
  init(page: UnsafeMutableRawPointer) { self.page = page }

  private var first: UnsafeMutablePointer<UInt32> {
    page.assumingMemoryBound(to: UInt32.self)
  }
  private var last: UnsafeMutablePointer<UInt32> { first + 1 }

  /// Whether every write has been delivered. Any number of threads may ask.
  public var isEmpty: Bool { loadAcquire(first) == loadAcquire(last) }

  /// Delivers what is there. A write gives up its place only after it has been delivered, so that
  /// whoever finds the ring empty knows that nothing is on its way.
  public func drain(_ deliver: (CoalescedWrite) -> Void) {
    var index = loadAcquire(first)
    // A ring that is filled as fast as it is drained has an end too.
    let end = loadAcquire(last)
    guard index < Self.capacity, end < Self.capacity else { return }
    while index != end {
      deliver(
        CoalescedWrite(
          page.load(
            fromByteOffset: 8 + Int(index) * MemoryLayout<kvm_coalesced_mmio>.stride,
            as: kvm_coalesced_mmio.self)))
      index = (index + 1) % Self.capacity
      storeRelease(first, index)
    }
  }
}

/// `struct kvm_coalesced_mmio`: one write to a port or to an address without memory.
public struct CoalescedWrite: Equatable, Sendable {
  public var address: UInt64
  public var isPort: Bool
  /// Bytes: 1 to 8.
  public var size: Int
  /// Little-endian; no bits beyond `size`.
  public var value: UInt64

  init(_ entry: kvm_coalesced_mmio) {
    address = entry.phys_addr
    isPort = entry.pio == 1
    let size = min(Int(entry.len), 8)
    self.size = size
    value = withUnsafeBytes(of: entry.data) { data in
      data.prefix(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
  }
}
