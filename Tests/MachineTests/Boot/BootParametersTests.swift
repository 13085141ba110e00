// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("The zero page")
struct BootParametersTests {
  private func page(initrd: Range<UInt64>? = nil) throws -> [UInt8] {
    BootParameters(
      image: try LinuxImage(KernelFile().bytes), addressMap: AddressMap(memorySize: 256 << 20),
      commandLine: 0x2_0000, initrd: initrd
    ).page
  }

  @Test("is one page that carries the kernel's own setup header at 0x1f1")
  func header() throws {
    let page = try page()
    #expect(page.count == 4096)
    #expect(page[0x1f1] == 3)
    #expect(Array(page[0x202..<0x206]) == Array("HdrS".utf8))
  }

  @Test("names a loader without a number, the command line and the normal video mode")
  func loader() throws {
    let page = try page()
    #expect(page[0x210] == 0xff)
    #expect(Array(page[0x228..<0x22c]) == [0, 0, 0x02, 0])
    #expect(Array(page[0x1fa..<0x1fc]) == [0xff, 0xff])
    #expect(page[0x211] & 0x80 == 0)
  }

  @Test("says where the initial RAM disk lies, or that there is none")
  func initrd() throws {
    let without = try page()
    #expect(without[0x218..<0x220].allSatisfy { $0 == 0 })
    let with = try page(initrd: 0x123_4000..<0x123_4567)
    #expect(Array(with[0x218..<0x21c]) == [0x00, 0x40, 0x23, 0x01])
    #expect(Array(with[0x21c..<0x220]) == [0x67, 0x05, 0, 0])
  }

  @Test("leads to the ACPI tables and counts the memory map's entries")
  func map() throws {
    let page = try page()
    #expect(Array(page[0x70..<0x78]) == [0, 0, 0x0e, 0, 0, 0, 0, 0])
    #expect(page[0x1e8] == 4)
    // The first entry: from 0, 0x9fc00 bytes, type 1.
    let first: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0xfc, 0x09, 0, 0, 0, 0, 0, 1, 0, 0, 0]
    #expect(Array(page[0x2d0..<0x2e4]) == first)
  }
}
