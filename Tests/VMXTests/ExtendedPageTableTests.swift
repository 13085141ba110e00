// SPDX-License-Identifier: Apache-2.0
import Testing
import VMX

/// SDM vol. 3, tables 29-1 to 29-7: read 0, write 1, execute 2, memory type 3 to 5, IPAT 6, page 7.
@Suite("Extended page tables")
struct ExtendedPageTableTests {
  @Test("A table may be read, written and executed, and has no memory type")
  func tables() {
    #expect(ExtendedPageTable.table(at: 0x12_3456_7000) == 0x12_3456_7007)
    #expect(!ExtendedPageTable.isLeaf(0x12_3456_7007, level: 2))
  }

  @Test("A page is write-back as far as the guest's PAT has it so")
  func leaves() {
    #expect(ExtendedPageTable.leaf(at: 0x1000, level: 1, writable: true) == 0x1037)
    #expect(ExtendedPageTable.leaf(at: 0x1000, level: 1, writable: false) == 0x1035)
    #expect(ExtendedPageTable.leaf(at: 0x20_0000, level: 2, writable: true) == 0x20_00b7)
    #expect(ExtendedPageTable.leaf(at: 0x4000_0000, level: 3, writable: true) == 0x4000_00b7)
  }

  @Test("A device's page is uncached as far as the guest's PAT has it so")
  func devices() {
    #expect(ExtendedPageTable.device(at: 0xfebf_5000, writable: true) == 0xfebf_5007)
    #expect(ExtendedPageTable.device(at: 0xfebf_5000, writable: false) == 0xfebf_5005)
    #expect(ExtendedPageTable.isDevice(0x5007))
    #expect(!ExtendedPageTable.isDevice(0x5037))
  }

  @Test("An entry is present with any of its rights, and a leaf on level 1 or with bit 7")
  func entries() {
    for bit in [1, 2, 4] as [UInt64] { #expect(ExtendedPageTable.isPresent(bit)) }
    #expect(!ExtendedPageTable.isPresent(0xffff_ffff_ffff_fff8))
    #expect(ExtendedPageTable.isLeaf(0x1007, level: 1))
    #expect(ExtendedPageTable.isLeaf(0x20_0087, level: 2))
    #expect(ExtendedPageTable.isWritable(2))
    #expect(!ExtendedPageTable.isWritable(5))
    #expect(ExtendedPageTable.address(0xfff0_1234_5678_9fff) == 0x1234_5678_9000)
  }

  /// Table 25-9: memory type 0 to 2, length of the walk less one 3 to 5.
  @Test("The EPT pointer names write-back tables of four levels")
  func pointer() {
    #expect(ExtendedPageTable.pointer(to: 0x5000) == 0x501e)
  }
}
