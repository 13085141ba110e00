// SPDX-License-Identifier: Apache-2.0
import Contract

/// KVM_REGISTER_COALESCED_MMIO: writes to the client's devices that do not end KVM_RUN but wait
/// in a ring until the client looks.
extension VirtualCPU {
  /// True if the write waits in the ring; false if the client has to be asked at once. The bytes
  /// of `value` beyond `size` do not count.
  func coalesce(_ space: Zones.Space, _ address: UInt64, _ value: UInt64, size: UInt8) -> Bool {
    guard unsafe Zones(pages.vm).contain(space, address, size: size) else { return false }
    var write = kvm_coalesced_mmio()
    write.phys_addr = address
    write.len = UInt32(size)
    write.pio = space.rawValue
    unsafe withUnsafeMutableBytes(of: &write.data) {
      unsafe $0.storeBytes(of: value, as: UInt64.self)
    }
    let ring = unsafe CoalescedRing(page: pages.ring)
    // All vCPUs write into one ring.
    guard withMachine({ _ in unsafe ring.append(write) }) else { return false }
    count(APUS_EXIT_COALESCED)
    return true
  }
}

/// What the driver has written into `zones` of struct apus_vm.
@unsafe struct Zones {
  /// `pio` of struct kvm_coalesced_mmio_zone.
  enum Space: UInt32 { case memory = 0, ports = 1 }

  private let vm: UnsafeMutablePointer<apus_vm>

  init(_ vm: UnsafeMutablePointer<apus_vm>) { unsafe self.vm = unsafe vm }

  /// Whether one zone holds the whole access. No while zones change: an ordinary exit is always
  /// right.
  func contain(_ space: Space, _ address: UInt64, size: UInt8) -> Bool {
    let sequence = unsafe loadAcquire(&vm.pointee.zones_sequence)
    guard sequence & 1 == 0 else { return false }
    let found = unsafe withUnsafeMutablePointer(to: &vm.pointee.zones) { zones in
      let zones = unsafe UnsafeMutableRawPointer(zones).assumingMemoryBound(to: apus_zone.self)
      return (0..<Int(APUS_ZONES)).contains { index in
        let zone = unsafe zones + index
        let first = unsafe loadAcquire(&zone.pointee.address)
        let length = unsafe loadAcquire(&zone.pointee.size)
        let pio = unsafe loadAcquire(&zone.pointee.pio)
        return pio == space.rawValue && address >= first && length >= size
          && address - first <= UInt64(length - UInt32(size))
      }
    }
    return unsafe found && loadAcquire(&vm.pointee.zones_sequence) == sequence
  }
}

/// struct kvm_coalesced_mmio_ring of linux/kvm.h, one page. The client can write all of it at any
/// time: where the next entry goes is looked at once, and checked.
@unsafe struct CoalescedRing {
  /// KVM_COALESCED_MMIO_MAX.
  static var capacity: UInt32 {
    (APUS_PAGE_SIZE - 8) / UInt32(MemoryLayout<kvm_coalesced_mmio>.stride)
  }

  let page: UnsafeMutableRawPointer

  /// False if there is no room. One entry always stays free.
  func append(_ write: kvm_coalesced_mmio) -> Bool {
    let words = unsafe page.assumingMemoryBound(to: UInt32.self)
    let first = unsafe loadAcquire(words)
    let last = unsafe loadAcquire(words + 1)
    guard unsafe last < Self.capacity else { return false }
    let next = unsafe last + 1 == Self.capacity ? 0 : last + 1
    guard next != first else { return false }
    unsafe page.storeBytes(
      of: write, toByteOffset: 8 + Int(last) * MemoryLayout<kvm_coalesced_mmio>.stride,
      as: kvm_coalesced_mmio.self)
    unsafe storeRelease(words + 1, next)
    return true
  }
}
