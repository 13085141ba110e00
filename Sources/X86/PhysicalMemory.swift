// SPDX-License-Identifier: Apache-2.0

/// Guest-physical memory as something that can be read: all that a page walk needs.
public protocol PhysicalMemory {
  /// The little-endian value of `size` bytes, 1 to 8, at an address; they lie in one page. Nil
  /// where no memory is.
  func read(_ address: GuestPhysical, size: Int) -> UInt64?
  /// The eight bytes of a page-table entry, by one access; 0, which is an entry that is not present,
  /// where no memory is.
  func entry(at address: GuestPhysical) -> UInt64
}

extension PhysicalMemory {
  public func entry(at address: GuestPhysical) -> UInt64 { read(address, size: 8) ?? 0 }
}
