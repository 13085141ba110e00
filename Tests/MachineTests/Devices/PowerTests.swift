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

  @Test("PM1 enable keeps what is written; PM1 status is clear at first")
  func powerManagementEvent() {
    let device = PowerManagement {}
    device.write(2, 0x0120, size: 2)
    #expect(device.read(0, size: 2) == 0)
    #expect(device.read(2, size: 2) == 0x0120)
    #expect(device.read(0, size: 4) == 0x0120_0000)
  }

  @Test("the power button sets PWRBTN_STS and, where enabled, drives the SCI until it is cleared")
  func powerButton() {
    let line = LevelLog()
    let device = PowerManagement(interrupt: { line.append($0) }, powerOff: {})
    device.write(2, 0x0100, size: 2)
    #expect(device.pressPowerButton())
    #expect(device.pressPowerButton())
    #expect(device.read(0, size: 2) == 0x0100)
    // Zeroes and other bits leave it (ACPI 6.5, 4.8.3.1.1).
    device.write(0, 0xfeff, size: 2)
    #expect(line.levels == [true])
    device.write(0, 0x0100, size: 2)
    #expect(device.read(0, size: 2) == 0)
    #expect(line.levels == [true, false])
  }

  @Test("a press before the guest has enabled the button waits for it")
  func earlyPress() {
    let line = LevelLog()
    let device = PowerManagement(interrupt: { line.append($0) }, powerOff: {})
    #expect(!device.pressPowerButton())
    #expect(line.levels == [])
    device.write(2, 0x0100, size: 2)
    #expect(line.levels == [true])
    device.write(2, 0, size: 2)
    #expect(line.levels == [true, false])
  }

  private final class LevelLog: Sendable {
    private let state = Mutex<[Bool]>([])
    var levels: [Bool] { state.withLock { $0 } }
    func append(_ level: Bool) { state.withLock { $0.append(level) } }
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
