// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import X86

/// Extended page tables. SDM vol. 3, 29.3.2.
///
/// Memory is write-back as far as the guest's own PAT does not say otherwise.
public enum ExtendedPageTable: NestedTableFormat {
  static var read: UInt64 { 1 << 0 }
  static var write: UInt64 { 1 << 1 }
  static var execute: UInt64 { 1 << 2 }
  /// The memory type: bits 5:3, 0 is uncached.
  static var memoryType: UInt64 { 7 << 3 }
  static var writeBack: UInt64 { 6 << 3 }
  static var large: UInt64 { 1 << 7 }

  public static func table(at physical: HostPhysical) -> UInt64 {
    physical.rawValue | read | write | execute
  }
  public static func leaf(at physical: HostPhysical, level: Int, writable: Bool) -> UInt64 {
    physical.rawValue | read | execute | writeBack | (writable ? write : 0)
      | (level > 1 ? large : 0)
  }
  public static func device(at physical: HostPhysical, writable: Bool) -> UInt64 {
    leaf(at: physical, level: 1, writable: writable) & ~memoryType
  }
  public static func isPresent(_ entry: UInt64) -> Bool {
    entry & (read | write | execute) != 0
  }
  public static func isLeaf(_ entry: UInt64, level: Int) -> Bool {
    level == 1 || entry & large != 0
  }
  public static func isWritable(_ entry: UInt64) -> Bool { entry & write != 0 }
  public static func isDevice(_ entry: UInt64) -> Bool { entry & memoryType == 0 }

  /// The EPT pointer: tables in write-back memory, a walk of four levels. SDM vol. 3, 25.6.11.
  public static func pointer(to root: HostPhysical) -> UInt64 { root.rawValue | 6 | 3 << 3 }
}
