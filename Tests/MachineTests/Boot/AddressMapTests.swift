// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("The memory map")
struct AddressMapTests {
  @Test("of a small guest ends where its memory does")
  func small() {
    #expect(
      AddressMap(memorySize: 256 << 20).entries == [
        .init(address: 0, size: 0x9_fc00, kind: .memory),
        .init(address: 0x9_fc00, size: 0x4_0400, kind: .reserved),
        .init(address: 0xe_0000, size: 0x2_0000, kind: .acpi),
        .init(address: 0x10_0000, size: 0xff0_0000, kind: .memory),
      ])
  }

  @Test("of a guest with more than 3 GiB goes on above 4 GiB")
  func large() {
    let entries = AddressMap(memorySize: 5 << 30).entries
    #expect(entries[3] == .init(address: 0x10_0000, size: 0xbff0_0000, kind: .memory))
    #expect(entries[4] == .init(address: 0x1_0000_0000, size: 0x8000_0000, kind: .memory))
    #expect(entries.count == 5)
  }

  @Test(
    "gives the kernel every byte above 1 MiB",
    arguments: [64 << 20, 3 << 30, (3 << 30) + 4096, 17 << 30] as [UInt64])
  func complete(size: UInt64) {
    let map = AddressMap(memorySize: size)
    let extended = map.entries.filter { $0.address >= 0x10_0000 }.reduce(0) { $0 + $1.size }
    #expect(extended == size - 0x10_0000)
    for (entry, next) in zip(map.entries, map.entries.dropFirst()) {
      #expect(entry.address + entry.size <= next.address)
    }
  }

  @Test("is encoded in 20 bytes an entry")
  func encoding() {
    let encoded = AddressMap(memorySize: 5 << 30).encoded
    #expect(encoded.count == 5 * 20)
    #expect(
      Array(encoded[80..<100]) == [
        0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 1, 0, 0, 0,
      ])
    #expect(encoded[36] == 2)
    #expect(encoded[56] == 3)
  }
}
