// SPDX-License-Identifier: Apache-2.0
import Foundation
import KVM
import Synchronization
import SystemPackage
import Testing

@testable import Machine

/// A whole disk behind its registers, with its thread, and a driver that means harm.
@Suite("A guest that means harm")
struct HostileDriverTests {
  private struct NoWiring: EventWiring {
    func signal(_: FileDescriptor, atWritesTo _: UInt64, size _: UInt32) {}
    func connect(_: FileDescriptor, toLine _: UInt32) {}
    func disconnect(_: FileDescriptor, fromLine _: UInt32) {}
    func route(_: [InterruptMessage]) {}
  }

  private final class Guest: Sendable {
    let driver = PretendedDriver()
    let worker: RequestDevice<BlockRequests>
    let device: VirtIOPCIDevice
    let isOver = Mutex(false)

    init(disk: DiskImage) throws {
      let notification = try EventDescriptor()
      worker = RequestDevice(BlockRequests(disk: disk, serial: ""), notification: notification)
      device = try VirtIOPCIDevice(
        worker, notifications: [notification], at: 0xd000_0000, memory: driver.memory,
        messages: MessageInterrupts(NoWiring()) { _ in }, failed: { Issue.record("\($0)") })
    }

    /// As a driver sets it up, from wherever it is.
    func restart() {
      device.write(0x14, 0, size: 1)
      device.write(0x08, 1, size: 4)
      device.write(0x0c, 1, size: 4)
      device.write(0x14, 11, size: 1)
      device.write(0x18, 8, size: 2)
      device.write(0x20, driver.layout.descriptors, size: 8)
      device.write(0x28, driver.layout.available, size: 8)
      device.write(0x30, driver.layout.used, size: 8)
      driver.store(0 as UInt16, at: driver.layout.available + 2)
      device.write(0x1c, 1, size: 2)
      device.write(0x14, 15, size: 1)
    }

    var isBroken: Bool { device.read(0x14, size: 1) & 64 != 0 }
  }

  @Test("neither ends nor stops the client, and finds a device that works after a reset")
  func harm() throws {
    let path = FileManager.default.temporaryDirectory.path + "/apus-harm-\(UUID().uuidString)"
    try Data(count: 64 << 10).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let machine = try Guest(disk: try DiskImage(try #require(VirtualDevice.Disk(path))))
    let thread = try Machine.Thread { machine.worker.run { machine.isOver.withLock { $0 } } }
    // Another vCPU that changes descriptors while the device reads them.
    let other = try Machine.Thread {
      var generator = SystemRandomNumberGenerator()
      while !machine.isOver.withLock({ $0 }) {
        machine.driver.describe(
          .random(in: 0..<8, using: &generator),
          address: .random(in: 0...0x11_0000, using: &generator),
          length: [1, 16, 512, 4096, .max].randomElement(using: &generator) ?? 0,
          flags: .random(in: 0...7, using: &generator), next: .random(in: 0...8))
      }
    }
    var generator = SystemRandomNumberGenerator()
    var broken = 0
    for _ in 0..<3000 {
      machine.restart()
      for _ in 0..<4 {
        machine.driver.offer(.random(in: 0...8, using: &generator))
        machine.device.write(0x3000, 0, size: 2)
        // Anything, but for the status and what would be a second reset.
        let offset = Int.random(in: 0..<0x5000, using: &generator)
        if offset != 0x14 { machine.device.write(offset, .random(in: 0...255), size: 1) }
      }
      if machine.isBroken { broken += 1 }
    }
    machine.isOver.withLock { $0 = true }
    Machine.Thread.stop([thread, other])
    machine.device.stop()
    #expect(broken > 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 64 << 10)
    // A driver that means well finds the device at work.
    machine.restart()
    machine.driver.store(0 as UInt32, at: 0x7000)
    machine.driver.store(5 as UInt64, at: 0x7008)
    machine.driver.store(0xee as UInt8, at: 0x7800)
    machine.driver.describe(0, address: 0x7000, length: 16, flags: 1, next: 1)
    machine.driver.describe(1, address: 0x8000, length: 512, flags: 3, next: 2)
    machine.driver.describe(2, address: 0x7800, length: 1, flags: 2)
    machine.driver.store(0 as UInt16, at: machine.driver.layout.available)
    machine.driver.offer(0)
    machine.worker.serve()
    #expect(machine.driver.load(UInt8.self, at: 0x7800) == 0)
  }
}
