// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing

@testable import KVM

@Suite("A table of CPUID leaves")
struct CPUIDTableTests {
  @Test("has the count in its first word and its entries from byte 8")
  func layout() {
    var entry = kvm_cpuid_entry2()
    entry.function = 0x4000_0000
    entry.edx = 0x4d
    var table = CPUIDTable([entry, entry])
    table.withPointer { pointer in
      #expect(pointer.load(as: UInt32.self) == 2)
      #expect(pointer.load(fromByteOffset: 8, as: UInt32.self) == 0x4000_0000)
      #expect(pointer.load(fromByteOffset: 48, as: UInt32.self) == 0x4000_0000)
      // function, index, flags, EAX, EBX, ECX, EDX
      #expect(pointer.load(fromByteOffset: 8 + 24, as: UInt32.self) == 0x4d)
    }
  }

  @Test("gives as many entries as the kernel says it wrote")
  func entries() {
    var table = CPUIDTable(capacity: 4)
    #expect(table.entries.count == 4)
    table.withPointer { pointer in
      pointer.storeBytes(of: 1, as: UInt32.self)
      pointer.storeBytes(of: 7, toByteOffset: 8, as: UInt32.self)
    }
    #expect(table.entries.map(\.function) == [7])
  }
}
