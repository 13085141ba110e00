// SPDX-License-Identifier: Apache-2.0
import Contract
import Entry
import X86

/// The window of 512 pages of which the monitor maps all but a few by itself: its own page
/// table is its first page. SDM vol. 3, table 4-20.
enum Window {
  private static var present: UInt64 { 1 << 0 }
  private static var writable: UInt64 { 1 << 1 }
  private static var accessedDirty: UInt64 { 1 << 5 | 1 << 6 }
  private static var noExecute: UInt64 { 1 << 63 }

  private static var table: UnsafeMutablePointer<UInt64> {
    unsafe address(APUS_WINDOW_TABLE).assumingMemoryBound(to: UInt64.self)
  }

  static func address(_ page: UInt32) -> UnsafeMutableRawPointer {
    unsafe UnsafeMutableRawPointer(
      bitPattern: UInt(APUS_WINDOW_BASE) + UInt(page) * UInt(APUS_PAGE_SIZE)
    ).unsafelyUnwrapped
  }

  /// Maps the page at `physical`, if it is not mapped there already.
  static func map(_ physical: HostPhysical, at page: UInt32) -> UnsafeMutableRawPointer {
    set(page, physical.rawValue | present | writable | accessedDirty | noExecute)
    return unsafe address(page)
  }

  /// Maps pages that follow each other.
  static func map(
    _ physical: HostPhysical, at page: UInt32, count: UInt32
  ) -> UnsafeMutableRawPointer {
    for index in 0..<count {
      _ = unsafe map(physical + UInt64(index) * UInt64(APUS_PAGE_SIZE), at: page + index)
    }
    return unsafe address(page)
  }

  /// Nothing of a VM that is gone stays within reach.
  static func unmap(from page: UInt32, to end: UInt32) {
    for page in page..<end { set(page, 0) }
  }

  private static func set(_ page: UInt32, _ entry: UInt64) {
    let slot = unsafe table + Int(page)
    guard unsafe slot.pointee != entry else { return }
    unsafe slot.pointee = entry
    invalidatePage(unsafe UInt64(UInt(bitPattern: address(page))))
  }
}
