// SPDX-License-Identifier: Apache-2.0
import Contract

/// KVM_SET_USER_MEMORY_REGION as the driver carries it out: apus.h, struct apus_slot.
extension VirtualMachine {
  /// Puts blocks of memory one after the other at a guest-physical address.
  func setSlot(_ index: Int, _ blocks: [Block], at guestAddress: UInt64, flags: UInt32 = 0) {
    var size: UInt64 = 0
    for block in blocks { size += UInt64(block.size) }
    slots[index] = apus_slot(
      guest_address: guestAddress, size: size, pages: extents(blocks, at: guestAddress),
      log: 0, flags: flags, generation: nextGeneration, log_sequence: 0, reserved: 0)
    giveTables(for: size)
    publishSlots()
  }

  /// A slot whose pages the monitor asks for, and the page of their entries: all of them 0.
  func setPagesSlot(_ index: Int, at guestAddress: UInt64, pages: UInt64) -> Block {
    let directory = Memory.pages(1)
    let entries = Memory.pages(1)
    directory.store(entries.address, at: 8)
    slots[index] = apus_slot(
      guest_address: guestAddress, size: pages * 4096, pages: directory.address, log: 0,
      flags: APUS_SLOT_PAGES | APUS_SLOT_DEVICE, generation: nextGeneration, log_sequence: 0,
      reserved: 0)
    giveTables(for: pages * 4096)
    publishSlots()
    return entries
  }

  /// What the driver does when pages are taken away whose entries it has cleared: the number that vCPUs have to
  /// acknowledge.
  func revoke(at guestAddress: UInt64, pages: UInt64) -> UInt32 {
    let number = unsafe control.pointee.revocations &+ 1
    let range = apus_revoked(
      first_frame: guestAddress >> 12, last_frame: guestAddress >> 12 + pages - 1)
    unsafe withUnsafeMutableBytes(of: &control.pointee.revoked) {
      unsafe $0.storeBytes(
        of: range, toByteOffset: Int(number % APUS_REVOKED) * 16, as: apus_revoked.self)
    }
    unsafe storeRelease(&control.pointee.revocations, number)
    return number
  }

  var generation: UInt32 { unsafe control.pointee.slots_generation }

  func removeSlot(_ index: Int) {
    slots[index] = apus_slot()
    slots[index].generation = nextGeneration
    publishSlots()
  }

  /// A slot that no driver writes: its extents lie at a physical address that no processor here
  /// has. Who looks at them holds the VM's lock.
  func breakSlot(_ index: Int) {
    slots[index] = apus_slot(
      guest_address: 1 << 30, size: 4096, pages: 1 << 51, log: 0, flags: 0,
      generation: nextGeneration, log_sequence: 0, reserved: 0)
    publishSlots()
  }

  private var nextGeneration: UInt32 { unsafe control.pointee.slots_generation &+ 1 }

  /// Writes the table that is not in force; then that table is.
  private func publishSlots() {
    let generation = nextGeneration
    let stride = MemoryLayout<apus_slot>.stride
    let table =
      Int(APUS_VM_PAGE_SLOTS * APUS_PAGE_SIZE) + Int(generation & 1) * slots.count * stride
    for (index, slot) in slots.enumerated() { area.store(slot, at: table + index * stride) }
    unsafe storeRelease(&control.pointee.slots_generation, generation)
  }

  private func extents(_ blocks: [Block], at guestAddress: UInt64) -> UInt64 {
    let page = Memory.pages(1)
    page.store(UInt64(blocks.count), at: 8)
    var frame = guestAddress >> 12
    for (index, block) in blocks.enumerated() {
      let count = UInt64(block.size) >> 12
      page.store(
        apus_extent(guest_frame: frame, frame: block.address >> 12, count: count),
        at: 16 + index * MemoryLayout<apus_extent>.stride)
      frame += count
    }
    return page.address
  }

  /// Free pages, chained: two upper tables, and one for each 2 MiB that the slot may touch.
  private func giveTables(for size: UInt64) {
    var next: UInt64 = unsafe exchange(&control.pointee.free_tables, 0)
    for _ in 0..<4 + size >> 21 {
      let page = Memory.pages(1)
      page.store(next, at: 0)
      next = page.address
    }
    unsafe control.pointee.free_tables = next
  }
}
