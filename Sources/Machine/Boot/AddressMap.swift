// SPDX-License-Identifier: Apache-2.0

/// The guest's memory as a BIOS reports it by INT 15h, E820h (ACPI 6.5, 15.1).
struct AddressMap: Equatable {
  enum Kind: UInt32 {
    case memory = 1
    case reserved = 2
    /// ACPI tables, free once they are read.
    case acpi = 3
  }

  struct Entry: Equatable {
    var address: UInt64
    var size: UInt64
    var kind: Kind
  }

  let entries: [Entry]

  init(memorySize: UInt64) {
    var entries = [
      Entry(address: 0, size: GuestLayout.conventionalEnd, kind: .memory),
      Entry(
        address: GuestLayout.conventionalEnd,
        size: GuestLayout.acpi - GuestLayout.conventionalEnd, kind: .reserved),
      Entry(
        address: GuestLayout.acpi, size: GuestLayout.acpiEnd - GuestLayout.acpi, kind: .acpi),
    ]
    for range in GuestLayout.memory(size: memorySize) {
      let start = max(range.lowerBound, GuestLayout.extended)
      entries.append(Entry(address: start, size: range.upperBound - start, kind: .memory))
    }
    self.entries = entries
  }

  /// `struct boot_e820_entry`: 20 bytes each, packed.
  var encoded: [UInt8] {
    entries.reduce(into: []) { bytes, entry in
      bytes.append(littleEndian: entry.address)
      bytes.append(littleEndian: entry.size)
      bytes.append(littleEndian: entry.kind.rawValue)
    }
  }
}
