// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// What the nested tables hold of a slot. All zero: nothing.
struct MappedSlot {
  var address: UInt64
  /// Bytes.
  var size: UInt64
  /// Of struct apus_slot.
  var log: UInt64
  var generation: UInt32
  var logSequence: UInt32

  init(_ slot: apus_slot) {
    address = slot.guest_address
    size = slot.size
    // A guest's write to a read-only slot is the client's, and noted by nobody.
    log = slot.flags & APUS_SLOT_READONLY == 0 ? slot.log : 0
    generation = slot.generation
    logSequence = slot.log_sequence
  }

  /// Bytes from the slot's beginning to an address in it.
  @inline(__always)
  func offset(of address: GuestPhysical) -> UInt64? {
    address.rawValue >= self.address && address.rawValue - self.address < size
      ? address.rawValue - self.address : nil
  }
}

/// Keeps a VM's nested tables in step with the slots that the driver publishes.
public struct MemorySlots {
  public var free = FreeTables()
  /// Tables that hold nothing, but through which a CPU may still walk until all have acknowledged
  /// `emptiedGeneration`.
  private var emptied = FreeTables()
  private var emptiedGeneration: UInt32 = 0
  /// The generation of the driver's table that the nested tables agree with.
  public var generation: UInt32 = 0
  /// Slots that found no free table: the guest would fault on what is missing.
  public var shortages: UInt32 = 0
  /// No slot from this index on is mapped.
  var count = 0
  /// There are slots whose pages are mapped when the guest accesses them: APUS_SLOT_PAGES.
  var hasPages = false
  /// The driver's revocations that the nested tables agree with.
  var revocations: UInt32 = 0

  public init() {}

  /// Takes over what changed. Called with the VM's lock held; every vCPU that may have
  /// cached the old translations forgets them before its next entry.
  mutating func follow<Hardware: Processor, Format: NestedTableFormat>(
    _ pages: VirtualCPUPages, _ tables: NestedTables<Hardware, Format>, gigabytePages: Bool
  ) {
    let vm = unsafe pages.vm
    while true {
      let wanted = unsafe loadAcquire(&vm.pointee.slots_generation)
      if wanted == generation { return }
      let slots = unsafe pages.publishedSlots + (wanted & 1 == 0 ? 0 : Int(APUS_SLOTS))
      let mapped = unsafe pages.mappedSlots
      unsafe free.add(chain: HostPhysical(exchange(&vm.pointee.free_tables, 0)), tables.processor)
      let settled = unsafe loadAcquire(&vm.pointee.slots_settled)
      reclaim(settled, tables)
      unsafe remove(slots, mapped, tables)
      emptiedGeneration = wanted
      // No vCPU has acknowledged `wanted` yet. If it is settled, none is in its guest.
      reclaim(settled, tables)
      unsafe add(slots, mapped, tables, gigabytePages)
      generation = wanted
    }
  }

  /// The driver's table that is mapped. It does not write this one before a later one was followed.
  private func followed(_ pages: VirtualCPUPages) -> UnsafePointer<apus_slot> {
    unsafe pages.publishedSlots + (generation & 1 == 0 ? 0 : Int(APUS_SLOTS))
  }

  /// Unmaps the pages of APUS_SLOT_PAGES slots that the driver has revoked, with the VM's lock held. What
  /// it wrote to the entries before is seen from then on.
  mutating func followRevocations<Hardware: Processor, Format: NestedTableFormat>(
    _ pages: VirtualCPUPages, _ tables: NestedTables<Hardware, Format>
  ) {
    let vm = unsafe pages.vm
    while true {
      let newest = unsafe loadAcquire(&vm.pointee.revocations)
      guard newest != revocations else { return }
      if newest &- revocations < APUS_REVOKED {
        for number in 1...(newest &- revocations) {
          let range = unsafe pages.revoked(revocations &+ number)
          tables.revoke(
            from: GuestPhysical(range.first_frame << 12),
            to: GuestPhysical((range.last_frame &+ 1) << 12))
        }
      }
      // The driver may have written over a range meanwhile.
      let latest = unsafe loadAcquire(&vm.pointee.revocations)
      if latest &- revocations >= APUS_REVOKED { unsafe revokeAll(pages, tables) }
      revocations = newest
    }
  }

  private func revokeAll<Hardware: Processor, Format: NestedTableFormat>(
    _ pages: VirtualCPUPages, _ tables: NestedTables<Hardware, Format>
  ) {
    let mapped = unsafe pages.mappedSlots
    let slots = unsafe followed(pages)
    for index in 0..<count where unsafe slots[index].flags & APUS_SLOT_PAGES != 0 {
      unsafe tables.revoke(
        from: GuestPhysical(mapped[index].address),
        to: GuestPhysical(mapped[index].address + mapped[index].size))
    }
  }

  /// What became of an access to a page that was not mapped.
  enum PageAccess {
    /// No slot has it, or one whose pages are all mapped already.
    case elsewhere
    case mapped
    /// The driver has no entry for it, or none for writes.
    case missing
  }

  /// Maps the page at an address as the driver's entry says, with the VM's lock held.
  mutating func mapPage<Hardware: Processor, Format: NestedTableFormat>(
    at address: GuestPhysical, isWrite: Bool, _ pages: VirtualCPUPages,
    _ tables: NestedTables<Hardware, Format>
  ) -> PageAccess {
    let mapped = unsafe pages.mappedSlots
    let slots = unsafe followed(pages)
    for index in 0..<count where unsafe slots[index].flags & APUS_SLOT_PAGES != 0 {
      guard let offset = unsafe mapped[index].offset(of: address) else { continue }
      let number = offset >> 12
      let entries = UInt64(APUS_PAGE_ENTRIES)
      let page = unsafe tables.processor.page(
        number / entries, ofDirectory: HostPhysical(slots[index].pages))
      guard page != 0 else { return .missing }
      let entry = unsafe tables.processor.map(page, at: .extents)
        .load(fromByteOffset: 8 * Int(number % entries), as: UInt64.self)
      guard entry & APUS_PAGE_PRESENT != 0 else { return .missing }
      let writable = entry & APUS_PAGE_WRITABLE != 0
      guard writable || !isWrite else { return .missing }
      if tables.map(
        device: address.page, to: HostPhysical(entry).page, writable: writable, free: &free)
      {
        return .mapped
      }
      shortages &+= 1
      return .elsewhere
    }
    return .elsewhere
  }

  private mutating func reclaim<Hardware: Processor, Format: NestedTableFormat>(
    _ settled: UInt32, _ tables: NestedTables<Hardware, Format>
  ) {
    guard Int32(bitPattern: settled &- emptiedGeneration) >= 0 else { return }
    free.add(chain: emptied.first, tables.processor)
    emptied = FreeTables()
  }

  private mutating func remove<Hardware: Processor, Format: NestedTableFormat>(
    _ slots: UnsafePointer<apus_slot>, _ mapped: UnsafeMutablePointer<MappedSlot>,
    _ tables: NestedTables<Hardware, Format>
  ) {
    for index in 0..<count where unsafe mapped[index].size != 0 {
      if unsafe slots[index].size == 0 || slots[index].generation != mapped[index].generation {
        unsafe tables.unmap(
          from: GuestPhysical(mapped[index].address),
          to: GuestPhysical(mapped[index].address + mapped[index].size), emptied: &emptied)
        unsafe mapped[index] = MappedSlot(apus_slot())
      }
    }
    while count > 0, unsafe mapped[count - 1].size == 0 { count -= 1 }
  }

  private mutating func add<Hardware: Processor, Format: NestedTableFormat>(
    _ slots: UnsafePointer<apus_slot>, _ mapped: UnsafeMutablePointer<MappedSlot>,
    _ tables: NestedTables<Hardware, Format>, _ gigabytePages: Bool
  ) {
    hasPages = false
    for index in 0..<Int(APUS_SLOTS) where unsafe slots[index].size != 0 {
      let slot = unsafe slots[index]
      let isPages = slot.flags & APUS_SLOT_PAGES != 0
      if isPages { hasPages = true }
      if unsafe mapped[index].size == 0 {
        unsafe mapped[index] = MappedSlot(slot)
        count = max(count, index + 1)
        if !isPages, !map(slot, tables, gigabytePages) { shortages &+= 1 }
      } else if isPages {
        continue
      } else if unsafe mapped[index].logSequence != slot.log_sequence {
        unsafe mapped[index] = MappedSlot(slot)
        let writable = slot.log == 0 && slot.flags & APUS_SLOT_READONLY == 0
        if !tables.protect(
          from: GuestPhysical(slot.guest_address),
          to: GuestPhysical(slot.guest_address + slot.size), writable: writable,
          free: &free)
        {
          shortages &+= 1
        }
      }
    }
  }

  /// False if there was no free table left.
  private mutating func map<Hardware: Processor, Format: NestedTableFormat>(
    _ slot: apus_slot, _ tables: NestedTables<Hardware, Format>, _ gigabytePages: Bool
  ) -> Bool {
    let writable = slot.flags & APUS_SLOT_READONLY == 0 && slot.log == 0
    var physical = HostPhysical(slot.pages)
    while physical != 0 {
      let page = unsafe tables.processor.map(physical, at: .extents)
        .assumingMemoryBound(to: apus_extent_page.self)
      let extents = unsafe UnsafeRawPointer(page).advanced(by: 16)
        .assumingMemoryBound(to: apus_extent.self)
      for index in unsafe 0..<Int(min(page.pointee.count, 170)) {
        let extent = unsafe extents[index]
        var guest = extent.guest_frame
        var frame = extent.frame
        var left = extent.count
        while left > 0 {
          let both = guest | frame
          // A log has a bit for each small page.
          let level =
            slot.log != 0
            ? 1
            : both & 0x3ffff == 0 && left >= 0x40000 && gigabytePages
              ? 3 : both & 511 == 0 && left >= 512 ? 2 : 1
          let count: UInt64 = 1 << UInt64(9 * (level - 1))
          if !tables.map(
            GuestPhysical(guest << 12), to: HostPhysical(frame << 12), level: level,
            writable: writable, free: &free)
          {
            return false
          }
          guest += count
          frame += count
          left -= count
        }
      }
      physical = unsafe HostPhysical(page.pointee.next)
    }
    return true
  }
}

extension VirtualCPU {
  /// The driver has published slots that this vCPU has not acknowledged.
  @inline(__always) var slotsMoved: Bool {
    unsafe loadAcquire(&pages.vm.pointee.slots_generation) != control.slots_generation
  }
}
