// SPDX-License-Identifier: Apache-2.0
import Contract

/// The leaves that the client set with KVM_SET_CPUID2.
public struct CPUIDTable {
  public static var capacity: Int { 256 }
  public var count = 0
  var entries: InlineArray<256, kvm_cpuid_entry2> = InlineArray(repeating: kvm_cpuid_entry2())

  public init() {}

  public subscript(_ index: Int) -> kvm_cpuid_entry2 {
    get { entries[index & 255] }
    set { entries[index & 255] = newValue }
  }

  static var significantIndex: UInt32 { 1 }

  public func find(_ function: UInt32, _ index: UInt32) -> kvm_cpuid_entry2? {
    for at in 0..<min(count, Self.capacity) where entries[at].function == function {
      if entries[at].flags & Self.significantIndex == 0 || entries[at].index == index {
        return entries[at]
      }
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
