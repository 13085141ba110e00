// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// Pages of guest memory that are mapped in the window, so that a walk through the guest's page tables
/// finds them where it found them last. Direct-mapped by guest-physical address.
///
/// The nested tables are the monitor's own: a page stays right until a slot changes, and then
/// `followSlots` forgets them all before it acknowledges.
struct GuestPages {
  static var count: Int { 32 }

  struct Page {
    /// The guest-physical address, with bits 0 and 1: valid, writable. 0: nothing is mapped here.
    var tag: UInt64
    /// Where it is mapped.
    var address: UInt
  }
  var pages: InlineArray<32, Page> = InlineArray(repeating: Page(tag: 0, address: 0))
  /// Grows with each page that is mapped or forgotten: while it stays, so does every address.
  var changes: UInt64 = 1

  static var valid: UInt64 { 1 << 0 }
  static var writable: UInt64 { 1 << 1 }

  static func place(_ address: GuestPhysical) -> Int { Int(address.rawValue >> 12) & (count - 1) }
}
