// SPDX-License-Identifier: Apache-2.0
import Contract

/// A lent CPU's address space as apus.h describes it: five pages. SDM vol. 3, 4.5.
struct AddressSpace {
  private static var present: UInt64 { 1 << 0 }
  private static var writable: UInt64 { 1 << 1 }
  private static var accessedDirty: UInt64 { 1 << 5 | 1 << 6 }
  private static var noExecute: UInt64 { 1 << 63 }

  let root: Block
  private let low: Block

  init(image: MonitorImage, area: Block) {
    root = Memory.pages(1)
    low = Memory.pages(1)
    let pointers = Memory.pages(1)
    let directory = Memory.pages(1)
    let window = Memory.pages(1)
    root.store(pointers.address | Self.present | Self.writable, at: 0)
    pointers.store(directory.address | Self.present | Self.writable, at: 0)
    directory.store(low.address | Self.present | Self.writable, at: 0)
    directory.store(window.address | Self.present | Self.writable, at: 8)

    for page in 0..<image.pageCount {
      let permissions = image.permissions(ofPage: page)
      guard !permissions.isEmpty else { continue }
      low.store(
        (image.pages.address + UInt64(page) * 4096) | Self.present | Self.accessedDirty
          | (permissions.contains(.write) ? Self.writable : 0)
          | (permissions.contains(.execute) ? 0 : Self.noExecute),
        at: (Int(APUS_IMAGE_BASE) / 4096 + page) * 8)
    }
    let data = Self.present | Self.writable | Self.accessedDirty | Self.noExecute
    window.store(window.address | data, at: Int(APUS_WINDOW_TABLE) * 8)
    for page in 0..<Int(APUS_CPU_PAGES) where page != Int(APUS_CPU_PAGE_GUARD) {
      window.store(
        (area.address + UInt64(page) * 4096) | data, at: (Int(APUS_WINDOW_CPU) + page) * 8)
    }
  }

  /// The borrowed page, at its own address until the CPU has arrived.
  func map(trampoline address: UInt64) {
    low.store(
      address | Self.present | Self.writable | Self.accessedDirty, at: Int(address / 4096) * 8)
  }
  func unmap(trampoline address: UInt64) { low.store(UInt64(0), at: Int(address / 4096) * 8) }
}
