// SPDX-License-Identifier: Apache-2.0
import X86

/// A segment register in the VMCB's state save area. APM vol. 2, appendix B.
extension VMCB {
  static func offset(of name: SegmentName) -> Int {
    switch name {
    case .es: 0x400
    case .cs: 0x410
    case .ss: 0x420
    case .ds: 0x430
    case .fs: 0x440
    case .gs: 0x450
    case .ldtr: 0x470
    case .tr: 0x490
    }
  }
  static var gdtrOffset: Int { 0x460 }
  static var idtrOffset: Int { 0x480 }

  public subscript(_ name: SegmentName) -> Segment {
    get {
      let offset = Self.offset(of: name)
      return Segment(
        selector: self[.selector(offset)],
        attributes: Self.attributes(packed: self[.attributes(offset)]),
        limit: self[.limit(offset)], base: self[.base(offset)])
    }
    nonmutating set {
      let offset = Self.offset(of: name)
      self[.selector(offset)] = newValue.selector
      self[.attributes(offset)] = Self.packed(newValue.attributes)
      self[.limit(offset)] = newValue.limit
      self[.base(offset)] = newValue.base
    }
  }

  /// Bits 8 to 11 of the packed form are bits 12 to 15 of a descriptor's second word. A
  /// segment that is not present is what VT-x calls unusable.
  static func attributes(packed: UInt16) -> SegmentAttributes {
    let raw = UInt32(packed & 0xff) | UInt32(packed & 0xf00) << 4
    return SegmentAttributes(rawValue: packed & 0x80 == 0 ? raw | 1 << 16 : raw)
  }
  static func packed(_ attributes: SegmentAttributes) -> UInt16 {
    guard !attributes.isUnusable else { return 0 }
    return UInt16(attributes.rawValue & 0xff) | UInt16(attributes.rawValue >> 4 & 0xf00)
  }

  func table(at offset: Int) -> DescriptorTable {
    DescriptorTable(
      limit: UInt16(truncatingIfNeeded: self[.limit(offset)]), base: self[.base(offset)])
  }
  func setTable(_ table: DescriptorTable, at offset: Int) {
    self[.limit(offset)] = UInt32(table.limit)
    self[.base(offset)] = table.base
  }
}
