// SPDX-License-Identifier: Apache-2.0
import KVM
import Synchronization
import Testing

@testable import Machine

@Suite("Writes that wait for their device")
struct WaitingWritesTests {
  private final class Recorder: Device {
    let written = Mutex<[UInt64]>([])
    func read(_ offset: Int, size: Int) -> UInt64 { 0 }
    func write(_ offset: Int, _ value: UInt64, size: Int) { written.withLock { $0.append(value) } }
  }

  @Test("reach the device of their space, none twice, in the order of the guest")
  func spaces() {
    let filled = FilledRing()
    let port = Recorder()
    let memory = Recorder()
    var buses = Buses(ports: DeviceBus(), memory: DeviceBus())
    buses.ports.attach(port, at: 0x3f8, count: 8)
    buses.memory.attach(memory, at: 0x3f8, count: 8)
    let writes = WaitingWrites(bus: buses)
    filled.add(0x3f8, 1)
    filled.add(0x3f8, pio: 0, 2)
    filled.add(0x3f9, 3)
    filled.add(0x500, 4)
    writes.deliver(from: filled.ring)
    writes.deliver(from: filled.ring)
    #expect(port.written.withLock { $0 } == [1, 3])
    #expect(memory.written.withLock { $0 } == [2])
  }

  @Test("arrive in order although two threads deliver them")
  func threads() throws {
    let filled = FilledRing()
    let device = Recorder()
    var buses = Buses(ports: DeviceBus(), memory: DeviceBus())
    buses.ports.attach(device, at: 0x3f8, count: 1)
    let writes = WaitingWrites(bus: buses)
    for value in 0..<160 as Range<UInt64> { filled.add(0x3f8, value & 0xff) }
    let threads = try (0..<2).map { _ in
      try Machine.Thread {
        writes.deliver(from: filled.ring)
        // Whoever returns knows that all of them are there.
        #expect(device.written.withLock { $0.count } == 160)
      }
    }
    Machine.Thread.stop(threads)
    #expect(device.written.withLock { $0 } == Array(0..<160))
  }
}
