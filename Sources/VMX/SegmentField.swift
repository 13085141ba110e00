// SPDX-License-Identifier: Apache-2.0
import X86

/// A segment register in the VMCS: four fields whose encodings step by two in the order ES, CS,
/// SS, DS, FS, GS, LDTR, TR. SDM vol. 3, appendix B.
extension VMCS {
  public subscript(_ name: SegmentName) -> Segment {
    get {
      let step = Self.step(name)
      return Segment(
        selector: self[.selector(step)],
        attributes: attributes(of: name),
        limit: self[.limit(step)], base: self[.base(step)])
    }
    nonmutating set {
      let step = Self.step(name)
      self[.selector(step)] = newValue.selector
      self[.accessRights(step)] = Self.acceptable(newValue.attributes).rawValue
      self[.limit(step)] = newValue.limit
      self[.base(step)] = newValue.base
    }
  }

  @inline(__always)
  func attributes(of name: SegmentName) -> SegmentAttributes {
    SegmentAttributes(rawValue: self[.accessRights(Self.step(name))])
  }

  /// `SegmentName` has the manual's order.
  static func step(_ name: SegmentName) -> UInt32 { UInt32(name.rawValue) * 2 }

  /// Entries check that what a segment register holds has been accessed; clients leave that bit
  /// out, as KVM and SVM do not ask for it. SDM vol. 3, 27.3.1.2.
  static func acceptable(_ attributes: SegmentAttributes) -> SegmentAttributes {
    guard !attributes.isUnusable, attributes.isCodeOrData else { return attributes }
    return SegmentAttributes(rawValue: attributes.rawValue | 1)
  }

  func table(limit: VMCSField<UInt32>, base: VMCSField<UInt64>) -> DescriptorTable {
    DescriptorTable(limit: UInt16(truncatingIfNeeded: self[limit]), base: self[base])
  }
}

extension VMCSField<UInt16> {
  static func selector(_ step: UInt32) -> Self { Self(0x0800 + step) }
}
extension VMCSField<UInt32> {
  static func limit(_ step: UInt32) -> Self { Self(0x4800 + step) }
  static func accessRights(_ step: UInt32) -> Self { Self(0x4814 + step) }
}
extension VMCSField<UInt64> {
  static func base(_ step: UInt32) -> Self { Self(0x6806 + step) }
}
