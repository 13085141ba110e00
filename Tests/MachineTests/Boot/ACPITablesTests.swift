// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("The ACPI tables")
struct ACPITablesTests {
  private func sum(_ bytes: some Sequence<UInt8>) -> UInt8 { bytes.reduce(0, &+) }

  /// The table at an address, as a guest finds it: by the length in its header.
  private func table(_ encoded: [UInt8], at address: UInt64) -> [UInt8] {
    let offset = Int(address - 0xe_0000)
    let length = Int(encoded.number(at: offset + 4, as: UInt32.self))
    return Array(encoded[offset..<(offset + length)])
  }

  /// From the RSDP through the XSDT to each table.
  private func tables(virtualCPUs: Int) -> [String: [UInt8]] {
    let encoded = ACPITables(virtualCPUs: virtualCPUs).encoded
    let xsdt = table(encoded, at: encoded.number(at: 24, as: UInt64.self))
    var found = ["XSDT": xsdt]
    for offset in stride(from: 36, to: xsdt.count, by: 8) {
      let bytes = table(encoded, at: xsdt.number(at: offset, as: UInt64.self))
      found[String(decoding: bytes[0..<4], as: UTF8.self)] = bytes
    }
    let fadt = found["FACP"] ?? []
    found["DSDT"] = table(encoded, at: fadt.number(at: 140, as: UInt64.self))
    return found
  }

  @Test("begin with a root pointer whose two sums are zero")
  func rootPointer() {
    let rsdp = ACPITables(virtualCPUs: 1).encoded[0..<36]
    #expect(Array(rsdp[0..<8]) == Array("RSD PTR ".utf8))
    #expect(sum(rsdp[0..<20]) == 0)
    #expect(sum(rsdp) == 0)
    #expect(rsdp[15] == 2)
  }

  @Test("are all found from the root pointer, and each sums to zero", arguments: [1, 2, 8, 255])
  func checksums(virtualCPUs: Int) {
    let tables = tables(virtualCPUs: virtualCPUs)
    #expect(Set(tables.keys) == ["XSDT", "FACP", "APIC", "DSDT"])
    for (name, bytes) in tables { #expect(sum(bytes) == 0, "\(name)") }
  }

  @Test("fit below 1 MiB with as many vCPUs as there can be")
  func size() {
    #expect(ACPITables(virtualCPUs: 255).encoded.count <= 0x2_0000)
  }

  @Test("name PM1a's ports, the timer's, the SCI and the reset register")
  func fixedDescription() throws {
    let fadt = try #require(tables(virtualCPUs: 1)["FACP"])
    #expect(fadt.count == 276)
    #expect(fadt.number(at: 46, as: UInt16.self) == 9)
    #expect(fadt.number(at: 48, as: UInt32.self) == 0)
    #expect(fadt.number(at: 56, as: UInt32.self) == 0x600)
    #expect(fadt.number(at: 64, as: UInt32.self) == 0x604)
    #expect(fadt.number(at: 76, as: UInt32.self) == 0x608)
    #expect(fadt[91] == 4)
    #expect(Array(fadt[208..<220]) == [1, 32, 0, 3, 8, 6, 0, 0, 0, 0, 0, 0])
    #expect(fadt[88] == 4)
    #expect(fadt[89] == 2)
    #expect(Array(fadt[116..<128]) == [1, 8, 0, 1, 0xf9, 0x0c, 0, 0, 0, 0, 0, 0])
    #expect(fadt[128] == 6)
    // Bit 8, TMR_VAL_EXT; bit 10, RESET_REG_SUP; bit 20, HW_REDUCED_ACPI, is not set.
    let flags = fadt.number(at: 112, as: UInt32.self)
    #expect(flags & (1 << 8 | 1 << 10 | 1 << 20) == 1 << 8 | 1 << 10)
  }

  @Test("count the vCPUs and wire the timer's line 0 to pin 2")
  func interruptControllers() throws {
    let madt = try #require(tables(virtualCPUs: 3)["APIC"])
    #expect(madt.number(at: 36, as: UInt32.self) == 0xfee0_0000)
    var entries: [UInt8: [[UInt8]]] = [:]
    var offset = 44
    while offset < madt.count {
      let length = Int(madt[offset + 1])
      entries[madt[offset], default: []].append(Array(madt[offset..<(offset + length)]))
      offset += length
    }
    #expect(offset == madt.count)
    #expect(
      entries[0] == [
        [0, 8, 0, 0, 1, 0, 0, 0], [0, 8, 1, 1, 1, 0, 0, 0], [0, 8, 2, 2, 1, 0, 0, 0],
      ])
    #expect(entries[1] == [[1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0]])
    #expect(entries[2]?.first == [2, 10, 0, 0, 2, 0, 0, 0, 0, 0])
    #expect(entries[2]?.last == [2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0])
  }

  @Test("let the kernel power off with sleep type 5")
  func sleepState() throws {
    let dsdt = try #require(tables(virtualCPUs: 1)["DSDT"])
    // Name (\_S5, Package (4) { 5, 5, 0, 0 }) in AML.
    #expect(
      Array(dsdt[36...]) == [
        0x08, 0x5f, 0x53, 0x35, 0x5f, 0x12, 0x08, 0x04, 0x0a, 5, 0x0a, 5, 0, 0,
      ])
  }

  @Test("name the PCI bus with its memory, where there is one, and still fit")
  func bus() throws {
    let plain = ACPITables(virtualCPUs: 255).dsdt.bytes
    let tables = ACPITables(virtualCPUs: 255, hasPCI: true)
    let dsdt = tables.dsdt.bytes
    // Scope (\_SB) { Device (PCI0) { Name (_HID, EisaId ("PNP0A03")) ... } }: ACPI 6.5, 20.2.
    let start: [UInt8] = [0x10, 0x46, 0x05, 0x5c, 0x5f, 0x53, 0x42, 0x5f, 0x5b, 0x82, 0x4d, 0x04]
    let identity: [UInt8] = [0x08, 0x5f, 0x48, 0x49, 0x44, 0x0c, 0x41, 0xd0, 0x0a, 0x03]
    #expect(Array(dsdt[plain.count...].prefix(12)) == start)
    #expect(Array(dsdt[(plain.count + 12)...].prefix(14)) == Array("PCI0".utf8) + identity)
    // The scope ends with the table, and its length counts all behind its first byte.
    #expect(dsdt.count - plain.count - 1 == 0x56)
    // DWORD address space: memory, from 0xd0000000 to 0xd00fffff (ACPI 6.5, 6.4.3.5.2).
    let window = dsdt.count - 2 - 26
    #expect(Array(dsdt[window..<(window + 6)]) == [0x87, 23, 0, 0, 12, 1])
    #expect(dsdt.number(at: window + 10, as: UInt32.self) == 0xd000_0000)
    #expect(dsdt.number(at: window + 14, as: UInt32.self) == 0xd00f_ffff)
    #expect(dsdt.number(at: window + 22, as: UInt32.self) == 0x10_0000)
    #expect(sum(dsdt) == 0)
    #expect(tables.encoded.count <= 0x2_0000)
  }
}
