// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import X86

/// Nested tables of SVM: the format of long mode, walked as user accesses. APM vol. 2, 15.25.
public enum NestedPageTable: NestedTableFormat {
  static var present: UInt64 { 1 << 0 }
  static var writable: UInt64 { 1 << 1 }
  static var user: UInt64 { 1 << 2 }
  static var uncached: UInt64 { 1 << 4 }
  static var accessedDirty: UInt64 { 1 << 5 | 1 << 6 }
  static var large: UInt64 { 1 << 7 }

  public static func table(at physical: HostPhysical) -> UInt64 {
    physical.rawValue | present | writable | user | accessedDirty
  }
  public static func leaf(at physical: HostPhysical, level: Int, writable: Bool) -> UInt64 {
    physical.rawValue | present | user | accessedDirty | (writable ? Self.writable : 0)
      | (level > 1 ? large : 0)
  }
  /// PCD alone is UC- in Linux's PAT and in that of reset, which is what translates here. APM vol. 2, 15.25.8.
  public static func device(at physical: HostPhysical, writable: Bool) -> UInt64 {
    leaf(at: physical, level: 1, writable: writable) | uncached
  }
  public static func isPresent(_ entry: UInt64) -> Bool { entry & present != 0 }
  public static func isLeaf(_ entry: UInt64, level: Int) -> Bool {
    level == 1 || entry & large != 0
  }
  public static func isWritable(_ entry: UInt64) -> Bool { entry & writable != 0 }
  public static func isDevice(_ entry: UInt64) -> Bool { entry & uncached != 0 }
}
