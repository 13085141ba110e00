// SPDX-License-Identifier: Apache-2.0

/// The guest's memory as devices reach it: by addresses that the guest chooses, which may be any.
///
/// It does not own the memory: it is used as long as the `GuestRAM` that it is of.
struct GuestMemory: @unchecked Sendable {
  /// A range of guest addresses, and where this process has it.
  struct Region {
    var guest: Range<UInt64>
    var host: UnsafeMutableRawPointer
  }

  let regions: [Region]

  init(regions: [Region]) { self.regions = regions }

  init(_ memory: borrowing GuestRAM) {
    var host = memory.mapping.address
    var regions: [Region] = []
    for range in GuestLayout.memory(size: memory.size) {
      regions.append(Region(guest: range, host: host))
      host += range.count
    }
    self.regions = regions
  }

  /// `size` bytes at `address`, or nil if not all of them are memory.
  func bytes(at address: UInt64, size: Int) -> UnsafeMutableRawBufferPointer? {
    guard size >= 0 else { return nil }
    for region in regions where region.guest.contains(address) {
      guard UInt64(size) <= region.guest.upperBound - address else { return nil }
      return UnsafeMutableRawBufferPointer(
        start: region.host + Int(address - region.guest.lowerBound), count: size)
    }
    return nil
  }
}
