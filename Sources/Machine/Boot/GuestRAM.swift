// SPDX-License-Identifier: Apache-2.0
import KVM

/// The guest's memory, addressed as the guest does.
public struct GuestRAM: ~Copyable, Sendable {
  let mapping: Mapping
  /// Bytes.
  public let size: UInt64

  public init(size: UInt64) throws(KVMError) {
    self.size = size
    mapping = try Mapping(anonymous: Int(size))
  }

  /// Makes it the virtual machine's memory, one slot for each range of `GuestLayout.memory`.
  func attach(to machine: borrowing VirtualMachine) throws(KVMError) {
    var offset: UInt64 = 0
    for (slot, range) in GuestLayout.memory(size: size).enumerated() {
      let size = range.upperBound - range.lowerBound
      try machine.setMemory(
        slot: UInt32(slot), guestAddress: range.lowerBound, size: size, memory: mapping,
        offset: offset)
      offset += size
    }
  }

  /// Copies `bytes` to `address`, which must lie below the hole.
  func write(_ bytes: some ContiguousBytes, at address: UInt64) {
    bytes.withBytes { source in
      precondition(
        address + UInt64(source.count) <= min(size, GuestLayout.hole), "inside low memory")
      let start = mapping.bytes.baseAddress.map { $0 + Int(address) }
      guard let start, let from = source.baseAddress else { return }
      start.copyMemory(from: from, byteCount: source.count)
    }
  }

  /// The memory at `range`, which must lie below the hole.
  func bytes(_ range: Range<UInt64>) -> UnsafeMutableRawBufferPointer {
    precondition(range.upperBound <= min(size, GuestLayout.hole), "inside low memory")
    return UnsafeMutableRawBufferPointer(
      rebasing: mapping.bytes[Int(range.lowerBound)..<Int(range.upperBound)])
  }
}

/// What can be copied into the guest.
protocol ContiguousBytes {
  func withBytes(_ body: (UnsafeRawBufferPointer) -> Void)
}

extension Array: ContiguousBytes where Element == UInt8 {
  func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) { withUnsafeBytes(body) }
}

extension ArraySlice: ContiguousBytes where Element == UInt8 {
  func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) { withUnsafeBytes(body) }
}
