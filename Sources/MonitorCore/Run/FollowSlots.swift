// SPDX-License-Identifier: Apache-2.0
import Contract

/// Memory slots that the driver changes while the guest runs. docs/model checks this protocol.
extension VirtualCPU {
  /// Takes over slots that changed, and forgets this vCPU's translations of the old ones.
  @inline(never)
  func followSlots() {
    // docs/model names the steps. F1: compare.
    let wanted = unsafe loadAcquire(&pages.vm.pointee.slots_generation)
    guard wanted != control.slots_generation else { return }
    let tables = tables
    let gigabytes = unit.hasGigabytePages
    // F2: follow.
    let generation = withMachine { machine -> UInt32 in
      unsafe machine.slots.follow(pages, tables, gigabytePages: gigabytes)
      return machine.slots.generation
    }
    unit.flushTranslations()
    forgetGuestPages()
    followMSRFilter(generation)
    // F3: acknowledge.
    unsafe storeRelease(&pages.control.pointee.slots_generation, generation)
  }
}
