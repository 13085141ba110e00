// SPDX-License-Identifier: Apache-2.0
import X86

/// A VM's nested page tables: four levels, reached page by page through the window.
public struct NestedTables<Hardware: Processor, Format: NestedTableFormat> {
  let processor: Hardware
  /// Physical address of the top table.
  let root: UInt64

  public init(_ processor: Hardware, root: UInt64) {
    self.processor = processor
    self.root = root
  }

  public struct Translation: Equatable, Sendable {
    /// Physical address of the byte asked for.
    public var physical: UInt64
    public var isWritable: Bool
  }

  /// Where a guest-physical address lies, if it is memory.
  public func translate(_ address: UInt64) -> Translation? {
    guard address >> 48 == 0 else { return nil }
    var table = root
    var level = 4
    while true {
      let entry = unsafe entries(of: table, level: level)[Self.index(address, level: level)]
      guard Format.isPresent(entry) else { return nil }
      if Format.isLeaf(entry, level: level) {
        let mask = Self.pageSize(level: level) - 1
        return Translation(
          physical: Format.address(entry) & ~mask | address & mask,
          isWritable: Format.isWritable(entry))
      }
      table = Format.address(entry)
      level -= 1
    }
  }

  /// Maps one page of level 1, 2 or 3. False if there was no free table left.
  public func map(
    _ address: UInt64, to physical: UInt64, level: Int, writable: Bool,
    free: inout FreeTables
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
    unsafe entries(of: table, level: level)[Self.index(address, level: level)] = Format.leaf(
      at: physical, level: level, writable: writable)
    return true
  }

  /// Takes away every page that begins in `address ..< end`; tables that get empty stay.
  public func unmap(from address: UInt64, to end: UInt64) {
    var at = address
    while at < end {
      var table = root
      var level = 4
      while true {
        let slot = unsafe entries(of: table, level: level) + Self.index(at, level: level)
        let entry = unsafe slot.pointee
        if !Format.isPresent(entry) { break }
        if Format.isLeaf(entry, level: level) {
          unsafe slot.pointee = 0
          break
        }
        table = Format.address(entry)
        level -= 1
      }
      let size = Self.pageSize(level: level)
      let next = (at & ~(size - 1)).addingReportingOverflow(size)
      if next.overflow { return }
      at = next.partialValue
    }
  }

  func entries(of table: UInt64, level: Int) -> UnsafeMutablePointer<UInt64> {
    unsafe processor.map(table, at: .table(level: level)).assumingMemoryBound(to: UInt64.self)
  }

  static func index(_ address: UInt64, level: Int) -> Int {
    Int(truncatingIfNeeded: address >> UInt64(12 + 9 * (level - 1)) & 511)
  }
  static func pageSize(level: Int) -> UInt64 { 1 << UInt64(12 + 9 * (level - 1)) }
}

/// Pages for nested tables, chained through their first eight bytes.
public struct FreeTables: Sendable {
  /// Physical address of the first free page; 0: none.
  public var first: UInt64 = 0
  public init() {}

  /// A zeroed page.
  mutating func take(_ processor: some Processor) -> UInt64? {
    guard first != 0 else { return nil }
    let page = first
    let pointer = unsafe processor.map(page, at: .freeTable)
    first = unsafe pointer.load(as: UInt64.self)
    unsafe pointer.initializeMemory(as: UInt64.self, repeating: 0, count: 512)
    return page
  }

  /// Adds a chain of pages that the driver made.
  mutating func add(chain: UInt64, _ processor: some Processor) {
    guard chain != 0 else { return }
    var last = chain
    while true {
      let pointer = unsafe processor.map(last, at: .freeTable)
      let next = unsafe pointer.load(as: UInt64.self)
      if next == 0 {
        unsafe pointer.storeBytes(of: first, as: UInt64.self)
        first = chain
        return
      }
      last = next
    }
  }
}
