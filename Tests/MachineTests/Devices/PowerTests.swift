// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing

@testable import Machine

@Suite("The ways to end a machine")
struct PowerTests {
  private final class Count: Sendable {
    let value = Mutex(0)
    func add() { value.withLock { $0 += 1 } }
    var current: Int { value.withLock { $0 } }
  }

  private let count = Count()

  @Test("PM1 control powers off with sleep type 5 and SLP_EN, and with nothing else")
  func powerManagement() {
    let device = PowerManagement { [count] in count.add() }
    device.write(4, 5 << 10, size: 2)
    device.write(4, 1 << 13 | 4 << 10, size: 2)
    #expect(count.current == 0)
    // SCI_EN and the sleep type are read back, SLP_EN is not (ACPI 6.5, 4.8.3.2.1).
    #expect(device.read(4, size: 2) == 0x1001)
    device.write(4, 1 << 13 | 5 << 10, size: 2)
    #expect(count.current == 1)
  }

  @Test("PM1 status is never set; PM1 enable keeps what is written")
  func powerManagementEvent() {
    let device = PowerManagement {}
    device.write(2, 0x0120, size: 2)
    #expect(device.read(0, size: 2) == 0)
    #expect(device.read(2, size: 2) == 0x0120)
    #expect(device.read(0, size: 4) == 0x0120_0000)
  }

  @Test("port 0xcf9 resets on bit 2 only")
  func resetControl() {
    let device = ResetControl { [count] in count.add() }
    device.write(0, 0x02)
    #expect(count.current == 0)
    device.write(0, 0x06)
    #expect(count.current == 1)
  }

  @Test("the keyboard controller resets on command 0xfe and is always ready for it")
  func keyboardController() {
    let device = KeyboardController { [count] in count.add() }
    #expect(device.read(0) & 0x02 == 0)
    device.write(0, 0xd1)
    #expect(count.current == 0)
    device.write(0, 0xfe)
    #expect(count.current == 1)
  }
}
