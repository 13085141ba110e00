// SPDX-License-Identifier: Apache-2.0
import X86

extension VirtualCPU {
  /// The mapped page of guest memory at a guest-physical address. Nil where no memory is, or none
  /// that can be written if `isWrite`. It may be unmapped when another page is asked for.
  @inline(__always)
  func guestPage(at address: GuestPhysical, isWrite: Bool) -> UnsafeMutableRawPointer? {
    let frame = address.page
    let place = GuestPages.place(frame)
    let page = unsafe pages.guestPages + place
    let tag = unsafe page.pointee.tag
    if tag & ~GuestPages.writable == frame.rawValue | GuestPages.valid {
      if !isWrite || tag & GuestPages.writable != 0 {
        return unsafe UnsafeMutableRawPointer(bitPattern: page.pointee.address)
      }
    }
    return unsafe mapGuestPage(frame, place, isWrite)
  }

  @inline(never)
  private func mapGuestPage(
    _ frame: GuestPhysical, _ place: Int, _ isWrite: Bool
  ) -> UnsafeMutableRawPointer? {
    guard var found = tables.translate(frame), !found.isDevice else { return nil }
    if isWrite, !found.isWritable { found.isWritable = logWrite(to: frame) }
    let address = unsafe processor.map(found.physical, at: .guestPage(place))
    let writable = found.isWritable ? GuestPages.writable : 0
    state.guestPages.changes &+= 1
    unsafe pages.guestPages[place] = GuestPages.Page(
      tag: frame.rawValue | GuestPages.valid | writable, address: UInt(bitPattern: address))
    return unsafe !isWrite || found.isWritable ? address : nil
  }

  /// The slots change, or the vCPU has come to another CPU.
  func forgetGuestPages() {
    state.guestPages.changes &+= 1
    for place in 0..<GuestPages.count { unsafe pages.guestPages[place].tag = 0 }
  }
}
