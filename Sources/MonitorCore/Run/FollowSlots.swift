// SPDX-License-Identifier: Apache-2.0
import Contract

/// Memory slots that the driver changes while the guest runs. docs/model checks this protocol.
extension VirtualCPU {
  /// Takes over slots that changed and pages that were revoked, and forgets this vCPU's translations of the
  /// old ones. A revocation needs no look of its own before each entry: the driver requests it, which
  /// brings the vCPU here.
  @inline(never)
  func followSlots() {
    // docs/model names the steps. F1, G1: compare.
    guard slotsMoved || isRevoked else { return }
    let tables = tables
    let gigabytes = unit.hasGigabytePages
    // F2, G2: follow.
    let (generation, revocations) = withMachine { machine -> (UInt32, UInt32) in
      unsafe machine.slots.follow(pages, tables, gigabytePages: gigabytes)
      unsafe machine.slots.followRevocations(pages, tables)
      return (machine.slots.generation, machine.slots.revocations)
    }
    unit.flushTranslations()
    forgetGuestPages()
    followMSRFilter(generation)
    // F3, G3: acknowledge.
    unsafe storeRelease(&pages.control.pointee.slots_generation, generation)
    unsafe storeRelease(&pages.control.pointee.revocations, revocations)
  }

  private var isRevoked: Bool {
    unsafe loadAcquire(&pages.vm.pointee.revocations) != control.revocations
  }
}
