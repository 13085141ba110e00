// SPDX-License-Identifier: Apache-2.0
import Contract

/// The leaves that the client set with KVM_SET_CPUID2, in pages of their own: inside a larger
/// structure the compiler would copy all 10 KiB to the stack for each look at one. Safe to use
/// as every index is cut to the capacity.
@safe public struct CPUIDTable {
  public static var capacity: Int { 256 }
  public let count: Int
  private let entries: UnsafeMutablePointer<kvm_cpuid_entry2>

  public init(at entries: UnsafeMutablePointer<kvm_cpuid_entry2>, count: Int) {
    unsafe self.entries = entries
    self.count = count
  }

  public subscript(_ index: Int) -> kvm_cpuid_entry2 {
    get { unsafe entries[index & (Self.capacity - 1)] }
    nonmutating set { unsafe entries[index & (Self.capacity - 1)] = newValue }
  }

  static var significantIndex: UInt32 { 1 }

  public func find(_ function: UInt32, _ index: UInt32) -> kvm_cpuid_entry2? {
    for at in 0..<min(count, Self.capacity) where self[at].function == function {
      let entry = self[at]
      if entry.flags & Self.significantIndex == 0 || entry.index == index { return entry }
    }
    return nil
  }

  /// What CPUID answers: the leaf itself; for a function above its range's highest, the
  /// highest basic leaf on Intel and zeros on AMD (SDM vol. 2, CPUID; APM vol. 3, appendix E).
  public func answer(_ function: UInt32, _ index: UInt32) -> CPUIDRegisters {
    if let entry = find(function, index) { return Self.registers(entry) }
    guard let highest = find(0, 0), highest.ebx != 0x6874_7541 else { return CPUIDRegisters() }
    let range = function & 0xffff_0000
    if range == 0x4000_0000 { return CPUIDRegisters() }
    if let top = find(range, 0), function <= top.eax { return CPUIDRegisters() }
    guard let entry = find(highest.eax, index) else { return CPUIDRegisters() }
    return Self.registers(entry)
  }

  static func registers(_ entry: kvm_cpuid_entry2) -> CPUIDRegisters {
    CPUIDRegisters(eax: entry.eax, ebx: entry.ebx, ecx: entry.ecx, edx: entry.edx)
  }
}
