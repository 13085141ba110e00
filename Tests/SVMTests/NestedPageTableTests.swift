// SPDX-License-Identifier: Apache-2.0
import SVM
import Testing

/// APM vol. 2, 15.25.5 and 5.3.3: the format of long mode, with user access everywhere.
@Suite("Entries of nested page tables")
struct NestedPageTableTests {
  @Test("A table is present, writable and the user's")
  func tables() {
    #expect(NestedPageTable.table(at: 0x1234_5000) == 0x1234_5067)
  }

  @Test("A leaf of a higher level has PS set, and a read-only one is not writable")
  func leaves() {
    #expect(NestedPageTable.leaf(at: 0x5000, level: 1, writable: true) == 0x5067)
    #expect(NestedPageTable.leaf(at: 0x5000, level: 1, writable: false) == 0x5065)
    #expect(NestedPageTable.leaf(at: 0x40_0000, level: 2, writable: true) == 0x40_00e7)
    #expect(NestedPageTable.leaf(at: 0x4000_0000, level: 3, writable: false) == 0x4000_00e5)
  }

  @Test("A device's page has PCD, which is UC- in the PAT, and is told from memory by that")
  func devices() {
    #expect(NestedPageTable.device(at: 0xfebf_5000, writable: true) == 0xfebf_5077)
    #expect(NestedPageTable.device(at: 0xfebf_5000, writable: false) == 0xfebf_5075)
    #expect(NestedPageTable.isDevice(0x5077))
    #expect(!NestedPageTable.isDevice(0x5067))
  }

  @Test("Entries are read back as they are written")
  func reading() {
    #expect(!NestedPageTable.isPresent(0x1234_5066))
    #expect(NestedPageTable.isLeaf(0x5067, level: 1))
    #expect(!NestedPageTable.isLeaf(0x5067, level: 2))
    #expect(NestedPageTable.isLeaf(0x50e7, level: 3))
    #expect(NestedPageTable.isWritable(0x5067))
    #expect(!NestedPageTable.isWritable(0x5065))
    #expect(NestedPageTable.address(0xfff0_1234_5678_9fff) == 0x1234_5678_9000)
  }
}
