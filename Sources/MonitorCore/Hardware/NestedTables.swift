// SPDX-License-Identifier: Apache-2.0
import X86

/// A VM's nested page tables: four levels, reached page by page through the window.
public struct NestedTables<Hardware: Processor, Format: NestedTableFormat> {
  let processor: Hardware
  /// The top table.
  let root: HostPhysical

  public init(_ processor: Hardware, root: HostPhysical) {
    self.processor = processor
    self.root = root
  }

  public struct Translation: Equatable, Sendable {
    /// Of the byte asked for.
    public var physical: HostPhysical
    public var isWritable: Bool
    /// A device's registers, which the monitor itself never touches.
    public var isDevice = false
  }

  /// Where a guest-physical address lies, if it is memory.
  public func translate(_ address: GuestPhysical) -> Translation? {
    guard let (leaf, level) = unsafe leaf(of: address) else { return nil }
    let entry = unsafe leaf.pointee
    let mask = Self.pageSize(level: level) - 1
    return Translation(
      physical: HostPhysical(
        Format.address(entry).rawValue & ~mask | address.rawValue & mask),
      isWritable: Format.isWritable(entry), isDevice: Format.isDevice(entry))
  }

  /// The entry that maps an address, mapped until another table of its level is.
  @inline(__always)
  private func leaf(of address: GuestPhysical) -> (entry: UnsafeMutablePointer<UInt64>, level: Int)?
  {
    guard address.rawValue >> 48 == 0 else { return nil }
    var table = root
    var level = 4
    while true {
      let slot = unsafe entries(of: table, level: level) + Self.index(address, level: level)
      let entry = unsafe slot.pointee
      guard Format.isPresent(entry) else { return nil }
      if Format.isLeaf(entry, level: level) { return unsafe (slot, level) }
      table = Format.address(entry)
      level -= 1
    }
  }

  /// Maps one page of level 1, 2 or 3. False if there was no free table left.
  public func map(
    _ address: GuestPhysical, to physical: HostPhysical, level: Int, writable: Bool,
    free: inout FreeTables
  ) -> Bool {
    set(
      address, Format.leaf(at: physical, level: level, writable: writable), level: level,
      free: &free)
  }

  /// Maps one small page of a device's registers. False if there was no free table left.
  func map(
    device address: GuestPhysical, to physical: HostPhysical, writable: Bool, free: inout FreeTables
  ) -> Bool {
    set(address, Format.device(at: physical, writable: writable), level: 1, free: &free)
  }

  @inline(never)
  private func set(
    _ address: GuestPhysical, _ leaf: UInt64, level: Int, free: inout FreeTables
  ) -> Bool {
    var table = root
    var current = 4
    while current > level {
      let slot = unsafe entries(of: table, level: current) + Self.index(address, level: current)
      if unsafe !Format.isPresent(slot.pointee) {
        guard let fresh = free.take(processor) else { return false }
        unsafe slot.pointee = Format.table(at: fresh)
      } else if unsafe Format.isLeaf(slot.pointee, level: current) {
        return true
      }
      table = unsafe Format.address(slot.pointee)
      current -= 1
    }
    unsafe entries(of: table, level: level)[Self.index(address, level: level)] = leaf
    return true
  }

  /// Takes away every small page in `address ..< end`, and keeps the tables: those pages come back.
  func revoke(from address: GuestPhysical, to end: GuestPhysical) {
    revoke(root, level: 4, from: address, to: end)
  }

  private func revoke(
    _ table: HostPhysical, level: Int, from address: GuestPhysical, to end: GuestPhysical
  ) {
    _ = unsafe forEachEntry(of: table, level: level, from: address, to: end) { slot, at, next in
      let entry = unsafe slot.pointee
      if Format.isLeaf(entry, level: level) {
        unsafe slot.pointee = 0
      } else {
        revoke(Format.address(entry), level: level - 1, from: at, to: next)
      }
      return true
    }
  }

  /// Takes away every page in `address ..< end`. Tables that are left empty go to `emptied`: another CPU
  /// may still walk through them until it forgets its translations.
  public func unmap(from address: GuestPhysical, to end: GuestPhysical, emptied: inout FreeTables) {
    _ = clear(root, level: 4, from: address, to: end, &emptied)
  }

  /// True if the table holds nothing any more.
  private func clear(
    _ table: HostPhysical, level: Int, from address: GuestPhysical, to end: GuestPhysical,
    _ emptied: inout FreeTables
  ) -> Bool {
    _ = unsafe forEachEntry(of: table, level: level, from: address, to: end) { slot, at, next in
      let entry = unsafe slot.pointee
      if Format.isLeaf(entry, level: level) {
        unsafe slot.pointee = 0
      } else if clear(Format.address(entry), level: level - 1, from: at, to: next, &emptied) {
        unsafe slot.pointee = 0
        emptied.add(Format.address(entry), processor)
      }
      return true
    }
    let entries = unsafe entries(of: table, level: level)
    for index in 0..<512 where unsafe Format.isPresent(entries[index]) { return false }
    return true
  }

  /// Calls `body` with each entry of a table that is present and lies in `address ..< end`, and with the part of
  /// that range for which it stands. False, and nothing more, where `body` says so.
  @inline(__always)
  private func forEachEntry(
    of table: HostPhysical, level: Int, from address: GuestPhysical, to end: GuestPhysical,
    _ body: (UnsafeMutablePointer<UInt64>, GuestPhysical, GuestPhysical) -> Bool
  ) -> Bool {
    let entries = unsafe entries(of: table, level: level)
    var at = address
    while at < end {
      let slot = unsafe entries + Self.index(at, level: level)
      let next = Self.next(at, level: level, end: end)
      if unsafe Format.isPresent(slot.pointee), unsafe !body(slot, at, next) { return false }
      at = next
    }
    return true
  }

  /// Lets every page in `address ..< end` be written or not. Where not, large pages become small ones, so
  /// that each may be let again alone. False if there was no free table left.
  func protect(
    from address: GuestPhysical, to end: GuestPhysical, writable: Bool, free: inout FreeTables
  ) -> Bool {
    protect(root, level: 4, from: address, to: end, writable: writable, &free)
  }

  private func protect(
    _ table: HostPhysical, level: Int, from address: GuestPhysical, to end: GuestPhysical,
    writable: Bool,
    _ free: inout FreeTables
  ) -> Bool {
    unsafe forEachEntry(of: table, level: level, from: address, to: end) { slot, at, next in
      let entry = unsafe slot.pointee
      if level > 1, !writable, Format.isLeaf(entry, level: level) {
        guard let split = split(entry, level: level, &free) else { return false }
        unsafe slot.pointee = Format.table(at: split)
      }
      let settled = unsafe slot.pointee
      guard Format.isLeaf(settled, level: level) else {
        return protect(
          Format.address(settled), level: level - 1, from: at, to: next, writable: writable, &free)
      }
      unsafe slot.pointee = Format.leaf(
        at: Format.address(settled), level: level, writable: writable)
      return true
    }
  }

  /// Lets the small page at an address be written. False where none is.
  func allowWrites(to address: GuestPhysical) -> Bool {
    guard let (leaf, level) = unsafe leaf(of: address), level == 1 else { return false }
    unsafe leaf.pointee = Format.leaf(
      at: Format.address(leaf.pointee), level: 1, writable: true)
    return true
  }

  /// A table that maps the same as a large page.
  private func split(_ entry: UInt64, level: Int, _ free: inout FreeTables) -> HostPhysical? {
    guard let table = free.take(processor) else { return nil }
    let entries = unsafe entries(of: table, level: level - 1)
    let first = HostPhysical(
      Format.address(entry).rawValue & ~(Self.pageSize(level: level) - 1))
    for index in 0..<512 {
      unsafe entries[index] = Format.leaf(
        at: first + UInt64(index) * Self.pageSize(level: level - 1), level: level - 1,
        writable: Format.isWritable(entry))
    }
    return table
  }

  /// Where the page or the table that holds `address` ends, or `end`, which comes first.
  private static func next(
    _ address: GuestPhysical, level: Int, end: GuestPhysical
  ) -> GuestPhysical {
    let size = pageSize(level: level)
    let (next, overflow) = (address.rawValue & ~(size - 1)).addingReportingOverflow(size)
    return overflow ? end : min(GuestPhysical(next), end)
  }

  func entries(of table: HostPhysical, level: Int) -> UnsafeMutablePointer<UInt64> {
    unsafe processor.map(table, at: .table(level: level)).assumingMemoryBound(to: UInt64.self)
  }

  static func index(_ address: GuestPhysical, level: Int) -> Int {
    Int(truncatingIfNeeded: address.rawValue >> UInt64(12 + 9 * (level - 1)) & 511)
  }
  static func pageSize(level: Int) -> UInt64 { 1 << UInt64(12 + 9 * (level - 1)) }
}

/// Pages for nested tables, chained through their first eight bytes.
public struct FreeTables: Sendable {
  /// The first free page; 0: none.
  public var first: HostPhysical = 0
  public init() {}

  /// A zeroed page.
  mutating func take(_ processor: some Processor) -> HostPhysical? {
    guard first != 0 else { return nil }
    let page = first
    let pointer = unsafe processor.map(page, at: .freeTable)
    first = unsafe HostPhysical(pointer.load(as: UInt64.self))
    unsafe pointer.initializeMemory(as: UInt64.self, repeating: 0, count: 512)
    return page
  }

  /// Adds one page.
  mutating func add(_ page: HostPhysical, _ processor: some Processor) {
    // An address of a page is no present entry in either vendor's format.
    unsafe processor.map(page, at: .freeTable).storeBytes(of: first.rawValue, as: UInt64.self)
    first = page
  }

  /// Adds a chain of pages, as the driver makes them.
  mutating func add(chain: HostPhysical, _ processor: some Processor) {
    guard chain != 0 else { return }
    var last = chain
    while true {
      let pointer = unsafe processor.map(last, at: .freeTable)
      let next = unsafe HostPhysical(pointer.load(as: UInt64.self))
      if next == 0 {
        unsafe pointer.storeBytes(of: first.rawValue, as: UInt64.self)
        first = chain
        return
      }
      last = next
    }
  }
}
