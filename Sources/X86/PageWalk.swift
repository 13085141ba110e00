// SPDX-License-Identifier: Apache-2.0

/// A walk through a guest's own page tables, in every paging mode. SDM vol. 3, chapter 4.
///
/// The tables are only read: accessed and dirty bits stay as they are, because whoever asks
/// emulates an instruction whose fetch has set them already, or an access to a device.
/// Protection keys are not looked at. The entries of PAE's first level are read from memory
/// each time, as SVM does it (APM vol. 2, 15.25.10).
public struct PageWalk {
  let linear: UInt64
  let mode: PagingMode
  let access: Access
  /// What every level so far has allowed.
  var isWritable = true
  var isUser = true
  var isExecutable = true

  static var present: UInt64 { 1 << 0 }
  static var writable: UInt64 { 1 << 1 }
  static var user: UInt64 { 1 << 2 }
  static var large: UInt64 { 1 << 7 }
  static var noExecute: UInt64 { 1 << 63 }

  /// The guest-physical address behind a linear one, which is canonical: see
  /// `PagingMode.isCanonical`. An entry where no memory is counts as not present.
  public static func translate(
    _ linear: UInt64, mode: PagingMode, access: Access, memory: some PhysicalMemory
  ) throws(PageFault) -> UInt64 {
    switch mode.format {
    case .none: return linear & 0xffff_ffff
    case .twoLevel:
      var walk = PageWalk(linear: linear & 0xffff_ffff, mode: mode, access: access)
      return try walk.twoLevels(memory)
    case .extended:
      var walk = PageWalk(linear: linear & 0xffff_ffff, mode: mode, access: access)
      return try walk.longEntries(from: 3, root: mode.cr3 & 0xffff_ffe0, memory)
    case .fourLevel:
      var walk = PageWalk(linear: linear, mode: mode, access: access)
      return try walk.longEntries(from: 4, root: mode.cr3 & 0x000f_ffff_ffff_f000, memory)
    case .fiveLevel:
      var walk = PageWalk(linear: linear, mode: mode, access: access)
      return try walk.longEntries(from: 5, root: mode.cr3 & 0x000f_ffff_ffff_f000, memory)
    }
  }

  init(linear: UInt64, mode: PagingMode, access: Access) {
    self.linear = linear
    self.mode = mode
    self.access = access
  }

  /// 32-bit paging. SDM vol. 3, 4.3.
  private mutating func twoLevels(_ memory: some PhysicalMemory) throws(PageFault) -> UInt64 {
    let directory = mode.cr3 & 0xffff_f000 | (linear >> 22) << 2
    let upper = try entry(at: directory, size: 4, memory)
    restrict(upper)
    if upper & Self.large != 0, mode.cr4.contains(.pageSizeExtension) {
      // Bits 13 to 20 are bits 32 to 39 of the address (PSE-36), bit 21 is reserved.
      if upper & 1 << 21 != 0 { throw fault(PageFault.present | PageFault.reservedBit) }
      try check()
      return (upper >> 13 & 0xff) << 32 | upper & 0xffc0_0000 | linear & 0x3f_ffff
    }
    let table = upper & 0xffff_f000 | (linear >> 12 & 0x3ff) << 2
    let lower = try entry(at: table, size: 4, memory)
    restrict(lower)
    try check()
    return lower & 0xffff_f000 | linear & 0xfff
  }

  /// PAE, 4-level and 5-level paging. SDM vol. 3, 4.4 and 4.5.
  private mutating func longEntries(
    from top: UInt64, root: UInt64, _ memory: some PhysicalMemory
  ) throws(PageFault) -> UInt64 {
    var table = root
    var level = top
    while true {
      let shift = 3 + 9 * level
      let entry = try entry(at: table + (linear >> shift & 0x1ff) << 3, size: 8, memory)
      // PAE's first level has neither rights nor large pages.
      let isPointer = mode.format == .extended && level == 3
      let isLeaf = level == 1 || !isPointer && entry & Self.large != 0
      if entry & reservedBits(level: level, isLeaf: isLeaf, isPointer: isPointer) != 0 {
        throw fault(PageFault.present | PageFault.reservedBit)
      }
      if !isPointer { restrict(entry) }
      let address = entry & 0x000f_ffff_ffff_f000
      if isLeaf {
        try check()
        let offset: UInt64 = 1 << shift - 1
        return address & ~offset | linear & offset
      }
      table = address
      level -= 1
    }
  }

  private func entry(
    at address: UInt64, size: Int, _ memory: some PhysicalMemory
  ) throws(PageFault) -> UInt64 {
    guard let entry = memory.read(address, size: size), entry & Self.present != 0 else {
      throw fault(0)
    }
    return entry
  }

  private func reservedBits(level: UInt64, isLeaf: Bool, isPointer: Bool) -> UInt64 {
    var bits = mode.reservedAddressBits
    if mode.format == .extended { bits |= 0x7ff0_0000_0000_0000 }
    if !mode.hasNoExecute || isPointer { bits |= Self.noExecute }
    if isPointer { bits |= 0x1e6 }
    if level > 3 { bits |= Self.large }
    // A large page's address is aligned; its bit 12 is a PAT bit.
    if isLeaf, level > 1 { bits |= (1 << (3 + 9 * level) - 1) & ~0x1fff }
    return bits
  }

  private mutating func restrict(_ entry: UInt64) {
    if entry & Self.writable == 0 { isWritable = false }
    if entry & Self.user == 0 { isUser = false }
    if entry & Self.noExecute != 0, mode.hasNoExecute { isExecutable = false }
  }

  /// The rights of SDM vol. 3, 4.6.1.
  private func check() throws(PageFault) {
    let isAllowed =
      if access.isExecute {
        isExecutable
          && (access.isUser ? isUser : !(isUser && mode.cr4.contains(.smep)))
      } else if access.isUser {
        isUser && (isWritable || !access.isWrite)
      } else {
        (isWritable || !access.isWrite || !mode.cr0.contains(.writeProtect))
          && (!isUser || !mode.cr4.contains(.smap) || access.overridesSMAP)
      }
    if !isAllowed { throw fault(PageFault.present) }
  }

  private func fault(_ cause: UInt32) -> PageFault { PageFault(access, mode: mode, cause: cause) }
}
