// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// KVM_MEM_LOG_DIRTY_PAGES: a page of such a slot is read-only until its first write, which is noted here.
extension VirtualCPU {
  /// Notes a write to a read-only page and lets it be written. False if its slot has no log.
  @inline(never)
  func logWrite(to address: GuestPhysical) -> Bool {
    let tables = tables
    return withMachine { machine in
      for index in 0..<machine.slots.count {
        let slot = unsafe pages.mappedSlots[index]
        guard slot.log != 0, let offset = slot.offset(of: address) else { continue }
        note(page: offset >> 12, in: HostPhysical(slot.log))
        return tables.allowWrites(to: address)
      }
      return false
    }
  }

  private func note(page: UInt64, in log: HostPhysical) {
    let bits = UInt64(APUS_LOG_PAGE_BITS)
    let physical = processor.page(page / bits, ofDirectory: log)
    guard physical != 0 else { return }
    let words = unsafe processor.map(physical, at: .extents).assumingMemoryBound(to: UInt64.self)
    let bit = page % bits
    unsafe words[Int(bit / 64)] |= 1 << (bit % 64)
  }
}
