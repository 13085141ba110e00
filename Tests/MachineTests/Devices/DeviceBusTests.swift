// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing

@testable import Machine

@Suite("The bus")
struct DeviceBusTests {
  /// Four registers that hold what is written.
  private final class Registers: ByteDevice {
    let values = Mutex<[UInt8]>([0x11, 0x22, 0x33, 0x44])
    func read(_ register: Int) -> UInt8 { values.withLock { $0[register] } }
    func write(_ register: Int, _ value: UInt8) { values.withLock { $0[register] = value } }
  }

  private let registers = Registers()
  private var bus = DeviceBus()

  init() { bus.attach(registers, at: 0x70, count: 4) }

  @Test("splits a wide access to single registers, the lowest first")
  func width() {
    #expect(bus.read(0x70, size: 4) == 0x4433_2211)
    #expect(bus.read(0x72, size: 2) == 0x4433)
    bus.write(0x71, 0xbbaa, size: 2)
    #expect(registers.values.withLock { $0 } == [0x11, 0xaa, 0xbb, 0x44])
  }

  @Test("answers ones where nothing is, and forgets what is written there")
  func nothing() {
    #expect(UInt8(truncatingIfNeeded: bus.read(0x6f, size: 1)) == 0xff)
    #expect(UInt32(truncatingIfNeeded: bus.read(0x74, size: 4)) == 0xffff_ffff)
    bus.write(0x74, 0, size: 1)
    #expect(registers.values.withLock { $0 } == [0x11, 0x22, 0x33, 0x44])
  }

  @Test("lets an access that begins in a device and ends beyond it reach no other register")
  func straddle() {
    let value = bus.read(0x73, size: 4)
    #expect(UInt32(truncatingIfNeeded: value) == 0xffff_ff44)
    bus.write(0x73, 0x0102_0304, size: 4)
    #expect(registers.values.withLock { $0 } == [0x11, 0x22, 0x33, 0x04])
  }
}
