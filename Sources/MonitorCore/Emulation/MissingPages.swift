// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// Pages that are mapped when the guest accesses them. docs/model checks this protocol.
extension VirtualCPU {
  /// An access to a page of an APUS_SLOT_PAGES slot: mapped, or asked of the driver, or the client's. Nil: the
  /// page is not of such a slot, or it is the client's.
  @inline(never)
  func handlePageFault(_ fault: NestedFault) -> Outcome? {
    let tables = tables
    let access = withMachine { machine in
      unsafe machine.slots.mapPage(
        at: fault.address, isWrite: fault.isWrite, pages, tables)
    }
    switch access {
    case .elsewhere: return nil
    case .mapped:
      count(APUS_EXIT_PAGE)
      return .resume
    case .missing:
      if state.clientsPage == fault.address.rawValue >> 12 {
        state.clientsPage = VirtualCPUState.noPage
        return nil
      }
      count(APUS_EXIT_PAGE)
      control.page_address = fault.address.rawValue
      control.page_written = fault.isWrite ? 1 : 0
      state.isPageMissing = true
      return .client
    }
  }
}
