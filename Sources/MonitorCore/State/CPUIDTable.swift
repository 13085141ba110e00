// SPDX-License-Identifier: Apache-2.0
import Contract

/// The leaves that the client set with KVM_SET_CPUID2, in pages of their own. Safe to use: every index
/// is cut to the capacity.
@safe public struct CPUIDTable {
  public static var capacity: Int { 256 }
  private let entries: UnsafeMutablePointer<kvm_cpuid_entry2>
  private let directory: UnsafeMutablePointer<CPUIDDirectory>

  public init(
    at entries: UnsafeMutablePointer<kvm_cpuid_entry2>,
    directory: UnsafeMutablePointer<CPUIDDirectory>
  ) {
    unsafe self.entries = entries
    unsafe self.directory = directory
  }

  public var count: Int { unsafe min(directory.pointee.count, Self.capacity) }

  @inline(__always)
  public subscript(_ index: Int) -> kvm_cpuid_entry2 {
    unsafeAddress { unsafe UnsafePointer(entries + (index & (Self.capacity - 1))) }
    nonmutating unsafeMutableAddress { unsafe entries + (index & (Self.capacity - 1)) }
  }

  static var significantIndex: UInt32 { 1 }

  /// The number of the entry for a leaf; nil: there is none.
  @inline(__always)
  private func position(_ function: UInt32, _ index: UInt32) -> Int? {
    var at = unsafe directory.pointee.first(function)
    while at < count {
      let entry = unsafe UnsafePointer(entries + at)
      if unsafe entry.pointee.function == function,
        unsafe entry.pointee.flags & Self.significantIndex == 0 || entry.pointee.index == index
      {
        return at
      }
      at += 1
    }
    return nil
  }

  public func find(_ function: UInt32, _ index: UInt32) -> kvm_cpuid_entry2? {
    position(function, index).map { self[$0] }
  }

  /// What CPUID answers: the leaf itself; for a function above its range's highest, the
  /// highest basic leaf on Intel and zeros on AMD (SDM vol. 2, CPUID; APM vol. 3, appendix E).
  @inline(__always)
  public func answer(_ function: UInt32, _ index: UInt32) -> CPUIDRegisters {
    guard let at = position(function, index) else { return missing(function, index) }
    let entry = unsafe UnsafePointer(entries + at)
    return unsafe CPUIDRegisters(
      eax: entry.pointee.eax, ebx: entry.pointee.ebx, ecx: entry.pointee.ecx,
      edx: entry.pointee.edx)
  }

  @inline(never)
  private func missing(_ function: UInt32, _ index: UInt32) -> CPUIDRegisters {
    guard let highest = position(0, 0), self[highest].ebx != 0x6874_7541 else {
      return CPUIDRegisters()
    }
    let range = function & 0xffff_0000
    if range == 0x4000_0000 { return CPUIDRegisters() }
    if let top = position(range, 0), function <= self[top].eax { return CPUIDRegisters() }
    guard let at = position(self[highest].eax, index) else { return CPUIDRegisters() }
    return CPUIDRegisters(
      eax: self[at].eax, ebx: self[at].ebx, ecx: self[at].ecx, edx: self[at].edx)
  }

  /// To be called when entries have changed: `count` of them are in use.
  public func index(count: Int) {
    unsafe directory.pointee = CPUIDDirectory(count: count)
    for at in (0..<self.count).reversed() {
      unsafe directory.pointee.setFirst(self[at].function, at)
    }
  }
}

/// Where the search for a leaf begins: the first entry of each group of functions, so that an exit
/// looks at one entry or two and not at all of them.
public struct CPUIDDirectory {
  public private(set) var count: Int
  private var firsts: InlineArray<128, UInt8>

  public init(count: Int) {
    self.count = count
    firsts = InlineArray(repeating: .max)
  }

  /// Basic, hypervisor's, extended and any other functions, 32 groups each.
  @inline(__always)
  private static func group(_ function: UInt32) -> Int {
    Int(function >> 30 & 3) << 5 | Int(function & 31)
  }
  @inline(__always)
  mutating func first(_ function: UInt32) -> Int { Int(firsts[Self.group(function)]) }
  mutating func setFirst(_ function: UInt32, _ at: Int) {
    firsts[Self.group(function)] = UInt8(truncatingIfNeeded: at)
  }
}
