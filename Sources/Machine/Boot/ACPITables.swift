// SPDX-License-Identifier: Apache-2.0

/// The guest's ACPI tables, laid out from `GuestLayout.acpi`: RSDP, XSDT, FADT, MADT, DSDT.
struct ACPITables {
  let rsdp: [UInt8]
  let xsdt: ACPITable
  let fadt: ACPITable
  let madt: ACPITable
  let dsdt: ACPITable
  /// All of them, from the first address on.
  let encoded: [UInt8]

  /// APIC IDs of the MADT's short entries have eight bits; 255 is everyone.
  static let mostProcessors = 255

  init(virtualCPUs: Int, hasPCI: Bool = false, base: UInt64 = GuestLayout.acpi) {
    // Fixed places, far enough apart for the largest number of vCPUs.
    let xsdtAddress = base + 0x40
    let fadtAddress = base + 0x100
    let dsdtAddress = base + 0x300
    let madtAddress = base + 0x400

    let definitions =
      Self.sleepState5 + (hasPCI ? AML.pciBus(memory: GuestLayout.pciMemory) : [])
    dsdt = ACPITable("DSDT", revision: 2, body: definitions)
    fadt = ACPITable("FACP", revision: 6, body: Self.fixedDescription(dsdt: dsdtAddress))
    madt = ACPITable("APIC", revision: 5, body: Self.interruptControllers(virtualCPUs))
    var pointers: [UInt8] = []
    for address in [fadtAddress, madtAddress] { pointers.append(littleEndian: address) }
    xsdt = ACPITable("XSDT", revision: 1, body: pointers)
    rsdp = Self.rootPointer(xsdt: xsdtAddress)

    var encoded: [UInt8] = []
    let parts = [
      (base, rsdp), (xsdtAddress, xsdt.bytes), (fadtAddress, fadt.bytes),
      (dsdtAddress, dsdt.bytes), (madtAddress, madt.bytes),
    ]
    for (address, bytes) in parts {
      let offset = Int(address - base)
      precondition(encoded.count <= offset)
      encoded += [UInt8](repeating: 0, count: offset - encoded.count) + bytes
    }
    self.encoded = encoded
  }

  /// ACPI 6.5, 5.2.5.3.
  private static func rootPointer(xsdt: UInt64) -> [UInt8] {
    var bytes = Array("RSD PTR ".utf8)
    bytes += [0]  // the sum of the first 20 bytes is zero
    bytes += Array("APUS  ".utf8)
    bytes += [2]
    bytes.append(littleEndian: UInt32(0))  // no RSDT
    bytes.append(littleEndian: UInt32(36))
    bytes.append(littleEndian: xsdt)
    bytes += [0, 0, 0, 0]  // the sum of all is zero
    bytes[8] = ACPITable.checksum(bytes[0..<20])
    bytes[32] = ACPITable.checksum(bytes)
    return bytes
  }

  /// ACPI 6.5, 5.2.9. Offsets are those of the table, of which this is the body.
  private static func fixedDescription(dsdt: UInt64) -> [UInt8] {
    var table = [UInt8](repeating: 0, count: 276)
    table.store(UInt32(dsdt), at: 40)
    table[45] = 0  // no preferred profile
    table.store(UInt16(InterruptNumber.systemControl), at: 46)
    // SMI_CMD is 0: the hardware is in ACPI mode from the start.
    table.store(UInt32(Port.powerManagementEvent), at: 56)
    table.store(UInt32(Port.powerManagementControl), at: 64)
    table.store(UInt32(Port.powerManagementTimer), at: 76)
    table[88] = 4  // PM1_EVT_LEN
    table[89] = 2  // PM1_CNT_LEN
    table[91] = 4  // PM_TMR_LEN
    table.store(UInt16(0xffff), at: 96)  // P_LVL2_LAT: no C2
    table.store(UInt16(0xffff), at: 98)  // P_LVL3_LAT: no C3
    // IAPC_BOOT_ARCH: bit 2 no VGA, bit 4 no PCIe ASPM; no 8042, no legacy devices.
    table.store(UInt16(1 << 2 | 1 << 4), at: 109)
    // WBINVD, PROC_C1, no sleep button, no fixed RTC wake, TMR_VAL_EXT, RESET_REG_SUP.
    let flags: [UInt32] = [0, 2, 5, 6, 8, 10]
    table.store(flags.reduce(0) { $0 | 1 << $1 }, at: 112)
    table.replaceSubrange(116..<128, with: portRegister(Port.reset, bits: 8))
    table[128] = 0x06  // RESET_VALUE
    table.store(dsdt, at: 140)
    table.replaceSubrange(148..<160, with: portRegister(Port.powerManagementEvent, bits: 32))
    table.replaceSubrange(172..<184, with: portRegister(Port.powerManagementControl, bits: 16))
    table.replaceSubrange(208..<220, with: portRegister(Port.powerManagementTimer, bits: 32))
    return Array(table[ACPITable.headerSize...])
  }

  /// A generic address in I/O space: ACPI 6.5, 5.2.3.2.
  private static func portRegister(_ port: UInt16, bits: UInt8) -> [UInt8] {
    let accessSize: UInt8 = bits == 8 ? 1 : bits == 16 ? 2 : 3
    var bytes: [UInt8] = [1, bits, 0, accessSize]
    bytes.append(littleEndian: UInt64(port))
    return bytes
  }

  /// ACPI 6.5, 5.2.12.
  private static func interruptControllers(_ virtualCPUs: Int) -> [UInt8] {
    var body: [UInt8] = []
    body.append(littleEndian: UInt32(GuestLayout.localAPIC))
    body.append(littleEndian: UInt32(1))  // PCAT_COMPAT: there are PICs
    for id in 0..<virtualCPUs {
      body += [0, 8, UInt8(id), UInt8(id)]  // processor local APIC: UID, APIC ID
      body.append(littleEndian: UInt32(1))  // enabled
    }
    body += [1, 12, 0, 0]  // IOAPIC with ID 0
    body.append(littleEndian: UInt32(GuestLayout.ioAPIC))
    body.append(littleEndian: UInt32(0))  // its first line
    body += override(line: 0, global: 2, flags: 0)  // conforms to ISA: edge, active high
    body += override(
      line: UInt8(InterruptNumber.systemControl), global: InterruptNumber.systemControl,
      flags: 0b1101)  // level, active high
    body += [4, 6, 0xff, 0, 0, 1]  // NMI of every processor: LINT1
    return body
  }

  private static func override(line: UInt8, global: UInt32, flags: UInt16) -> [UInt8] {
    var bytes: [UInt8] = [2, 10, 0, line]
    bytes.append(littleEndian: global)
    bytes.append(littleEndian: flags)
    return bytes
  }

  /// `Name (\_S5, Package () { 5, 5, 0, 0 })` in AML (ACPI 6.5, 20.2): the sleep type to write
  /// to PM1_CNT for power off.
  private static var sleepState5: [UInt8] {
    let type = AML.byte(PowerManagement.sleepType5)
    return AML.name("_S5_", AML.package([type, type, AML.byte(0), AML.byte(0)]))
  }
}
