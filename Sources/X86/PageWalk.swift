// SPDX-License-Identifier: Apache-2.0

/// A walk through a guest's own page tables, in every paging mode. SDM vol. 3, chapter 4.
///
/// The tables are only read: accessed and dirty bits stay as they are, because whoever asks
/// emulates an instruction whose fetch has set them already, or an access to a device.
/// Protection keys are not looked at. The entries of PAE's first level are read from memory
/// each time, as SVM does it (APM vol. 2, 15.25.10).
///
/// An entry is read by one aligned access, so that no other CPU of the guest can tear it.
public enum PageWalk {
  static var present: UInt64 { 1 << 0 }
  static var writable: UInt64 { 1 << 1 }
  static var user: UInt64 { 1 << 2 }
  static var large: UInt64 { 1 << 7 }
  static var noExecute: UInt64 { 1 << 63 }
  private static var addressBits: UInt64 { 0x000f_ffff_ffff_f000 }

  /// The guest-physical address behind a linear one, which is canonical: see
  /// `PagingMode.isCanonical`. An entry where no memory is counts as not present.
  @inline(__always)
  public static func translate(
    _ address: Linear, mode: PagingMode, access: Access, memory: some PhysicalMemory
  ) throws(PageFault) -> GuestPhysical {
    let linear = address.rawValue
    guard mode.cr0.contains(.paging) else { return GuestPhysical(linear & 0xffff_ffff) }
    guard mode.cr4.contains(.physicalAddressExtension) else {
      return try twoLevels(linear & 0xffff_ffff, mode, access, memory)
    }
    guard mode.efer.contains(.longModeActive) else {
      return try longEntries(
        linear & 0xffff_ffff, from: 3, root: mode.cr3 & 0xffff_ffe0, mode, access, memory)
    }
    return try longEntries(
      linear, from: mode.cr4.contains(.la57) ? 5 : 4, root: mode.cr3 & addressBits, mode, access,
      memory)
  }

  /// 32-bit paging. SDM vol. 3, 4.3.
  private static func twoLevels(
    _ linear: UInt64, _ mode: PagingMode, _ access: Access, _ memory: some PhysicalMemory
  ) throws(PageFault) -> GuestPhysical {
    let directory = GuestPhysical(mode.cr3 & 0xffff_f000 | (linear >> 22) << 2)
    guard let upper = memory.read(directory, size: 4), upper & present != 0 else {
      throw PageFault(access, mode: mode, cause: 0)
    }
    if upper & large != 0, mode.cr4.contains(.pageSizeExtension) {
      // Bits 13 to 20 are bits 32 to 39 of the address (PSE-36), bit 21 is reserved.
      if upper & 1 << 21 != 0 {
        throw PageFault(access, mode: mode, cause: PageFault.present | PageFault.reservedBit)
      }
      try check(rights: upper, access, mode)
      return GuestPhysical(
        (upper >> 13 & 0xff) << 32 | upper & 0xffc0_0000 | linear & 0x3f_ffff)
    }
    let table = GuestPhysical(upper & 0xffff_f000 | (linear >> 12 & 0x3ff) << 2)
    guard let lower = memory.read(table, size: 4), lower & present != 0 else {
      throw PageFault(access, mode: mode, cause: 0)
    }
    try check(rights: upper & lower, access, mode)
    return GuestPhysical(lower & 0xffff_f000 | linear & 0xfff)
  }

  /// PAE, 4-level and 5-level paging. SDM vol. 3, 4.4 and 4.5.
  private static func longEntries(
    _ linear: UInt64, from top: UInt64, root: UInt64, _ mode: PagingMode, _ access: Access,
    _ memory: some PhysicalMemory
  ) throws(PageFault) -> GuestPhysical {
    let refusesExecution = mode.hasNoExecute ? noExecute : 0
    let reserved =
      mode.reservedAddressBits | noExecute & ~refusesExecution
      | (top == 3 ? 0x7ff0_0000_0000_0000 : 0)
    // What every level so far has allowed; NX counts the other way round.
    var rights = writable | user
    var table = root
    var shift = 3 + 9 * top
    while true {
      let entry = memory.entry(at: GuestPhysical(table | (linear >> shift & 0x1ff) << 3))
      guard entry & present != 0 else { throw PageFault(access, mode: mode, cause: 0) }
      if entry & reserved != 0 { break }
      table = entry & addressBits
      if shift == 30, top == 3 {
        // PAE's first level has neither rights nor large pages.
        if entry & (noExecute | 0x1e6) != 0 { break }
      } else {
        rights = rights & (entry | noExecute) | entry & refusesExecution
        if shift == 12 {
          try check(rights: rights, access, mode)
          return GuestPhysical(table | linear & 0xfff)
        }
        if entry & large != 0 {
          let offset: UInt64 = 1 << shift &- 1
          // Only levels 2 and 3 have large pages. Their address is aligned; its bit 12 is a PAT bit.
          if shift >= 39 || entry & offset & ~0x1fff != 0 { break }
          try check(rights: rights, access, mode)
          return GuestPhysical(table & ~offset | linear & offset)
        }
      }
      shift &-= 9
    }
    throw PageFault(access, mode: mode, cause: PageFault.present | PageFault.reservedBit)
  }

  /// The rights of SDM vol. 3, 4.6.1: W and U of all levels, and the NX of any.
  @inline(__always)
  private static func check(
    rights: UInt64, _ access: Access, _ mode: PagingMode
  ) throws(PageFault) {
    let isUser = rights & user != 0
    let isAllowed =
      if access.isExecute {
        (rights & noExecute == 0 || !mode.hasNoExecute)
          && (access.isUser ? isUser : !(isUser && mode.cr4.contains(.smep)))
      } else if access.isUser {
        isUser && (rights & writable != 0 || !access.isWrite)
      } else {
        (rights & writable != 0 || !access.isWrite || !mode.cr0.contains(.writeProtect))
          && (!isUser || !mode.cr4.contains(.smap) || access.overridesSMAP)
      }
    if !isAllowed { throw PageFault(access, mode: mode, cause: PageFault.present) }
  }
}
