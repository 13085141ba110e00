// SPDX-License-Identifier: Apache-2.0
import Contract

/// Keeps a VM's nested tables in step with the slots that the driver publishes.
public struct MemorySlots {
  /// What the nested tables hold now, slot by slot.
  struct Mapped {
    var address: UInt64 = 0
    var size: UInt64 = 0
    var generation: UInt32 = 0
  }
  var mapped: InlineArray<32, Mapped> = InlineArray(repeating: Mapped())
  public var free = FreeTables()
  /// The generation of the driver's table that `mapped` agrees with.
  public var generation: UInt32 = 0
  /// Slots that found no free table: the guest would fault on what is missing.
  public var shortages: UInt32 = 0

  public init() {}

  /// Takes over what changed. Called with the VM's lock held; every vCPU that may have
  /// cached the old translations forgets them before its next entry.
  mutating func follow<Hardware: Processor, Format: NestedTableFormat>(
    _ vm: UnsafeMutablePointer<apus_vm>, _ tables: NestedTables<Hardware, Format>,
    gigabytePages: Bool
  ) {
    while true {
      let wanted = unsafe loadAcquire(&vm.pointee.slots_generation)
      if wanted == generation { return }
      unsafe withUnsafePointer(to: &vm.pointee.slots) { slots in
        unsafe slots.withMemoryRebound(to: apus_slot.self, capacity: 64) { slots in
          let table = unsafe slots + (wanted & 1 == 0 ? 0 : 32)
          unsafe remove(table, tables)
          unsafe add(table, tables, gigabytePages)
        }
      }
      generation = wanted
    }
  }

  private mutating func remove<Hardware: Processor, Format: NestedTableFormat>(
    _ slots: UnsafePointer<apus_slot>, _ tables: NestedTables<Hardware, Format>
  ) {
    for index in mapped.indices where mapped[index].size != 0 {
      if unsafe slots[index].size == 0 || slots[index].generation != mapped[index].generation {
        tables.unmap(
          from: mapped[index].address, to: mapped[index].address + mapped[index].size)
        mapped[index] = Mapped()
      }
    }
  }

  private mutating func add<Hardware: Processor, Format: NestedTableFormat>(
    _ slots: UnsafePointer<apus_slot>, _ tables: NestedTables<Hardware, Format>,
    _ gigabytePages: Bool
  ) {
    for index in mapped.indices {
      let slot = unsafe slots[index]
      guard slot.size != 0, mapped[index].size == 0 else { continue }
      free.add(chain: slot.tables, tables.processor)
      mapped[index] = Mapped(
        address: slot.guest_address, size: slot.size, generation: slot.generation)
      map(slot, tables, gigabytePages)
    }
  }

  private mutating func map<Hardware: Processor, Format: NestedTableFormat>(
    _ slot: apus_slot, _ tables: NestedTables<Hardware, Format>, _ gigabytePages: Bool
  ) {
    let writable = slot.flags & APUS_SLOT_READONLY == 0
    var physical = slot.extents
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
          let level =
            both & 0x3ffff == 0 && left >= 0x40000 && gigabytePages
            ? 3 : both & 511 == 0 && left >= 512 ? 2 : 1
          let count: UInt64 = 1 << UInt64(9 * (level - 1))
          if !tables.map(
            guest << 12, to: frame << 12, level: level, writable: writable, free: &free)
          {
            shortages &+= 1
            return
          }
          guest += count
          frame += count
          left -= count
        }
      }
      physical = unsafe page.pointee.next
    }
  }
}
