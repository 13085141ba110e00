// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing

@testable import Machine

/// Register numbers and bits are those of the PC16550D datasheet.
@Suite("The serial port")
struct UARTTests {
  /// What came out of the port.
  private final class Outside: Sendable {
    let sent = Mutex<[UInt8]>([])
    let line = Mutex<[Bool]>([])
  }

  private let outside = Outside()
  private let port: UART

  init() {
    port = UART(
      transmit: { [outside] byte in outside.sent.withLock { $0.append(byte) } },
      interrupt: { [outside] high in outside.line.withLock { $0.append(high) } })
  }

  private var line: [Bool] { outside.line.withLock { $0 } }

  /// As Linux opens it: FIFO with a trigger of 8, DTR, RTS and OUT2.
  private func open(interrupts: UInt8) {
    port.write(2, 0x01)
    port.write(2, 0x87)
    port.write(4, 0x0b)
    port.write(1, interrupts)
  }

  @Test("sends what is written, at once and in order")
  func transmit() {
    for byte: UInt8 in [0x41, 0x00, 0xff] { port.write(0, byte) }
    #expect(outside.sent.withLock { $0 } == [0x41, 0x00, 0xff])
    #expect(port.read(5) == 0x60)
  }

  @Test("is a 16550A: FIFO bits in IIR, a scratch register, four bits of IER")
  func identification() {
    #expect(port.read(2) == 0x01)
    port.write(2, 0x01)
    #expect(port.read(2) == 0xc1)
    port.write(7, 0xa5)
    #expect(port.read(7) == 0xa5)
    port.write(1, 0xff)
    #expect(port.read(1) == 0x0f)
  }

  @Test("keeps the divisor behind DLAB, apart from data and IER")
  func divisor() {
    port.write(1, 0x05)
    port.write(3, 0x83)
    port.write(0, 0x34)
    port.write(1, 0x12)
    #expect(port.read(0) == 0x34)
    #expect(port.read(1) == 0x12)
    port.write(3, 0x03)
    #expect(port.read(1) == 0x05)
    #expect(outside.sent.withLock { $0 }.isEmpty)
  }

  @Test("returns in loop-back mode what Linux's probe looks for")
  func loopback() {
    // 8250_port.c, autoconfig: RTS and OUT2 set, CTS and DCD must be read.
    port.write(4, 0x10 | 0x0a)
    #expect(port.read(6) & 0xf0 == 0x90)
    port.write(2, 0x01)
    port.write(0, 0x5a)
    #expect(port.read(5) & 0x01 == 0x01)
    #expect(port.read(0) == 0x5a)
    #expect(outside.sent.withLock { $0 }.isEmpty)
  }

  @Test("has the modem lines of a peer that is always ready")
  func modemStatus() { #expect(port.read(6) == 0xb0) }

  @Test("raises its line for received data and lowers it when the last byte is read")
  func receive() {
    open(interrupts: 0x01)
    port.receive([1, 2])
    #expect(line == [true])
    #expect(port.read(5) & 0x01 == 0x01)
    #expect(port.read(0) == 1)
    #expect(line == [true])
    #expect(port.read(0) == 2)
    #expect(line == [true, false])
    #expect(port.read(5) & 0x01 == 0)
    #expect(port.read(0) == 0)
  }

  @Test("reports the trigger level as data, and less than that as a time-out")
  func trigger() {
    open(interrupts: 0x01)
    port.receive([UInt8](repeating: 7, count: 8))
    #expect(port.read(2) == 0xc4)
    #expect(port.read(0) == 7)
    #expect(port.read(2) == 0xcc)
  }

  @Test("holds 16 bytes in the FIFO; the rest waits on the line")
  func depth() {
    open(interrupts: 0)
    port.receive(0..<20)
    #expect(port.waitingCount == 4)
    #expect(port.read(0) == 0)
    #expect(port.waitingCount == 3)
    // An emptied FIFO loses 16 bytes: those that are next follow.
    port.write(2, 0x83)
    #expect(port.read(0) == 17)
  }

  @Test("holds one byte without the FIFO")
  func noFIFO() {
    port.write(4, 0x02)
    port.receive([1, 2])
    #expect(port.waitingCount == 1)
    #expect(port.read(0) == 1)
    #expect(port.read(0) == 2)
  }

  @Test("lets the sender wait until RTS is on: no early byte is lost")
  func flowControl() {
    port.receive([9])
    #expect(port.read(5) & 0x01 == 0)
    open(interrupts: 0x01)
    #expect(port.read(0) == 9)
  }

  @Test("interrupts when the transmitter is empty; reading IIR ends it")
  func transmitterInterrupt() {
    open(interrupts: 0x02)
    #expect(line == [true])
    #expect(port.read(2) == 0xc2)
    #expect(line == [true, false])
    #expect(port.read(2) == 0xc1)
    port.write(0, 0x41)
    #expect(line == [true, false, true])
    // Switched off and on again, it interrupts again.
    _ = port.read(2)
    port.write(1, 0x00)
    port.write(1, 0x02)
    #expect(port.read(2) == 0xc2)
  }

  @Test("says whether the guest waits for the transmitter: writes should not be late then")
  func awaited() {
    #expect(!port.awaitsTransmitter)
    open(interrupts: 0x07)
    #expect(port.awaitsTransmitter)
    port.write(1, 0x05)
    #expect(!port.awaitsTransmitter)
  }

  @Test("gives received data priority over the transmitter")
  func priority() {
    open(interrupts: 0x03)
    port.receive([UInt8](repeating: 0, count: 14))
    #expect(port.read(2) == 0xc4)
    for _ in 0..<14 { _ = port.read(0) }
    #expect(port.read(2) == 0xc2)
  }

  @Test("has its line gated by OUT2, and by loop-back mode")
  func gate() {
    open(interrupts: 0x01)
    port.write(4, 0x03)
    port.receive([1])
    #expect(line.isEmpty)
    port.write(4, 0x0b)
    #expect(line == [true])
    port.write(4, 0x1b)
    #expect(line == [true, false])
  }
}
