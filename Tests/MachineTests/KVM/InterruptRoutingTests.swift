// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import KVM

@Suite("The wiring of interrupt lines")
struct InterruptRoutingTests {
  @Test("is a PC's: lines 0 to 15 reach the PICs, line 0 the IOAPIC's pin 2")
  func pc() {
    let entries = InterruptRouting.pc
    #expect(entries.filter { $0.chip == 0 }.map(\.pin) == Array(0..<8))
    #expect(entries.filter { $0.chip == 1 }.map(\.line) == Array(8..<16))
    let ioapic = entries.filter { $0.chip == 2 }
    #expect(ioapic.first == .init(line: 0, chip: 2, pin: 2))
    #expect(ioapic.dropFirst().allSatisfy { $0.line == $0.pin && $0.pin != 2 })
    // No line and no pin twice: /dev/apus takes one pin for a line.
    #expect(Set(ioapic.map(\.line)).count == ioapic.count)
    #expect(Set(ioapic.map(\.pin)).count == ioapic.count)
    #expect(ioapic.count == 23)
  }

  @Test("is encoded with a header of 8 bytes and 48 bytes an entry")
  func encoding() {
    let words = InterruptRouting.encode([.init(line: 4, chip: 2, pin: 4)])
    #expect(words == [1, 0, 4, 1, 0, 0, 2, 4, 0, 0, 0, 0, 0, 0])
  }

  @Test("encodes a message with its address in two halves and its data")
  func message() {
    let words = InterruptRouting.encode(
      [], messages: [InterruptMessage(line: 24, address: 0x1_fee0_1000, data: 0x4031)])
    #expect(words == [1, 0, 24, 2, 0, 0, 0xfee0_1000, 1, 0x4031, 0, 0, 0, 0, 0])
  }
}
