// SPDX-License-Identifier: Apache-2.0
import KVM
import Synchronization
import SystemPackage
import Testing

@testable import Machine

@Suite("A virtio device on the PCI bus")
struct VirtIOPCIDeviceTests {
  /// Notes what the virtual machine is asked for.
  private final class Wiring: EventWiring {
    struct Log {
      var writes: [UInt64] = []
      var connected: Set<UInt32> = []
      var messages: [InterruptMessage] = []
      var routings = 0
    }
    let log = Mutex(Log())

    func signal(_ event: FileDescriptor, atWritesTo address: UInt64, size: UInt32) {
      log.withLock { $0.writes.append(address) }
    }
    func connect(_ event: FileDescriptor, toLine line: UInt32) {
      log.withLock { _ = $0.connected.insert(line) }
    }
    func disconnect(_ event: FileDescriptor, fromLine line: UInt32) {
      log.withLock { _ = $0.connected.remove(line) }
    }
    func route(_ messages: [InterruptMessage]) {
      log.withLock {
        $0.messages = messages
        $0.routings += 1
      }
    }
  }

  private final class Backend: VirtIOBackend {
    let kind = VirtIOKind.entropy
    let features: UInt64 = 0
    let queueSizes: [UInt16] = [8]
    let configuration: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    let error: VirtIOStartError?
    let started = Mutex<[ReadyQueue]>([])
    let violated = Mutex<(@Sendable () -> Void)?>(nil)

    init(error: VirtIOStartError? = nil) { self.error = error }

    func start(
      _ queues: [ReadyQueue], features: UInt64, memory: GuestMemory,
      violated: @escaping @Sendable () -> Void
    ) throws(VirtIOStartError) {
      if let error { throw error }
      started.withLock { $0 = queues }
      self.violated.withLock { $0 = violated }
    }

    func stop() { started.withLock { $0 = [] } }
  }

  private let wiring = Wiring()
  private let backend: Backend
  private let device: VirtIOPCIDevice
  private let notification: EventDescriptor
  private static let base: UInt64 = 0xd000_8000

  init() throws { try self.init(backend: Backend()) }

  private init(backend: Backend) throws {
    self.backend = backend
    notification = try EventDescriptor()
    device = try VirtIOPCIDevice(
      backend, notifications: [notification], at: Self.base, memory: PretendedDriver().memory,
      messages: MessageInterrupts(wiring) { Issue.record("\($0)") },
      failed: { Issue.record("\($0)") })
  }

  /// Offsets of the capabilities of a kind, from the list.
  private func capabilities(_ identifier: UInt64) -> [Int] {
    var found: [Int] = []
    var offset = Int(device.readConfiguration(0x34, size: 1))
    while offset != 0 {
      if device.readConfiguration(offset, size: 1) == identifier { found.append(offset) }
      offset = Int(device.readConfiguration(offset + 1, size: 1))
    }
    return found
  }

  /// Where the structure of a type is in the device's memory (virtio_pci_cap, 4.1.4).
  private func structure(_ type: UInt64) throws -> Int {
    let capability = try #require(
      capabilities(0x09).first { device.readConfiguration($0 + 3, size: 1) == type })
    #expect(device.readConfiguration(capability + 4, size: 1) == 0)
    return Int(device.readConfiguration(capability + 8, size: 4))
  }

  private func ready(queueVector: UInt64 = 1) throws {
    let common = try structure(1)
    device.write(common + 0x08, 1, size: 4)
    device.write(common + 0x0c, 1, size: 4)
    device.write(common + 0x10, 0, size: 2)
    device.write(common + 0x14, 11, size: 1)
    device.write(common + 0x1a, queueVector, size: 2)
    device.write(common + 0x20, 0x1000, size: 4)
    device.write(common + 0x1c, 1, size: 2)
    device.write(common + 0x14, 15, size: 1)
  }

  private func enableMessages(_ control: UInt64) throws {
    let capability = try #require(capabilities(0x11).first)
    device.writeConfiguration(capability + 2, control, size: 2)
  }

  @Test("is a device of its kind, with the five structures and MSI-X, and no interrupt pin")
  func configuration() throws {
    #expect(device.readConfiguration(0, size: 4) == 0x1044_1af4)
    #expect(device.readConfiguration(0x3d, size: 1) == 0)
    #expect(device.readConfiguration(0x10, size: 4) == Self.base)
    #expect(Set([1, 2, 3, 4].compactMap { try? structure($0) }).count == 4)
    let messages = try #require(capabilities(0x11).first)
    // Two interrupts: table size minus one.
    #expect(device.readConfiguration(messages + 2, size: 2) == 1)
    #expect(device.read(try structure(4), size: 4) == 0x0403_0201)
    #expect(device.read(try structure(4) + 6, size: 4) == 0x0807)
  }

  @Test("hands its queues over when the driver is ready, and takes them back at a reset")
  func lifetime() throws {
    try ready()
    let queues = backend.started.withLock { $0 }
    #expect(queues.map(\.layout.descriptors) == [0x1000])
    #expect(queues.first?.notification === notification)
    #expect(queues.first?.interrupt != nil)
    device.write(try structure(1) + 0x14, 0, size: 1)
    #expect(backend.started.withLock { $0.isEmpty })
  }

  @Test("signals its notifications by eventfd, and those that come by another way too")
  func notifications() throws {
    try device.wireNotifications(wiring)
    let place = try structure(2)
    #expect(wiring.log.withLock { $0.writes } == [Self.base + UInt64(place)])
    device.write(place, 0, size: 4)
    #expect(notification.clear())
    device.write(place + 4, 0, size: 2)
    #expect(!notification.clear())
  }

  @Test("connects an interrupt where MSI-X is on and it is not masked, and lets it wait otherwise")
  func messages() throws {
    try ready()
    let table = 0x4000
    device.write(table + 16, 0xfee0_0000, size: 4)
    device.write(table + 24, 0x4041, size: 4)
    try enableMessages(0x8000)
    #expect(wiring.log.withLock { $0.connected.isEmpty })
    device.write(table + 28, 0, size: 4)
    #expect(wiring.log.withLock { $0.connected } == [25])
    let message = InterruptMessage(line: 25, address: 0xfee0_0000, data: 0x4041)
    #expect(wiring.log.withLock { $0.messages } == [message])
    // Masked: of itself, and of the whole function. A signal is pending then.
    device.write(table + 28, 1, size: 4)
    #expect(wiring.log.withLock { $0.connected.isEmpty })
    backend.started.withLock { $0.first?.interrupt?.signal() }
    #expect(device.read(0x5000, size: 8) == 0b10)
    device.write(table + 28, 0, size: 4)
    try enableMessages(0xc000)
    #expect(wiring.log.withLock { $0.connected.isEmpty })
    try enableMessages(0x8000)
    #expect(wiring.log.withLock { $0.connected } == [25])
    #expect(wiring.log.withLock { $0.routings } == 1)
    try enableMessages(0)
    #expect(wiring.log.withLock { $0.connected.isEmpty })
  }

  @Test("shows any part of its memory through a window in its configuration")
  func window() throws {
    let window = try #require(
      capabilities(0x09).first { device.readConfiguration($0 + 3, size: 1) == 5 })
    func look(_ offset: UInt64, _ size: UInt64) {
      device.writeConfiguration(window + 8, offset, size: 4)
      device.writeConfiguration(window + 12, size, size: 4)
    }
    look(UInt64(try structure(4)) + 4, 4)
    #expect(device.readConfiguration(window + 16, size: 4) == 0x0807_0605)
    // The number of queues, and the status.
    look(0x12, 2)
    #expect(device.readConfiguration(window + 16, size: 2) == 1)
    look(0x14, 1)
    device.writeConfiguration(window + 16, 0xff03, size: 4)
    #expect(device.read(0x14, size: 1) == 3)
    // Nothing where there is none, or where the access would be misaligned.
    for (offset, size) in [(0x7fff, 2), (0x8000, 4), (0xffff_fffc, 4), (0x12, 4), (0x12, 3)] {
      look(UInt64(offset), UInt64(size))
      #expect(device.readConfiguration(window + 16, size: 4) == 0)
      device.writeConfiguration(window + 16, 0, size: 4)
    }
    #expect(device.read(0x14, size: 1) == 3)
  }

  @Test("sends no interrupts for a queue without a vector")
  func noVector() throws {
    try ready(queueVector: 0xffff)
    #expect(backend.started.withLock { $0.map { $0.interrupt == nil } } == [true])
  }

  @Test("needs a reset where the guest breaks the rules, and interrupts it for that")
  func violation() throws {
    try ready()
    let report = try #require(backend.violated.withLock { $0 })
    report()
    #expect(device.read(0x14, size: 1) == 64 | 15)
    #expect(device.read(0x5000, size: 8) == 0b01)
    device.write(0x14, 0, size: 1)
    #expect(device.read(0x14, size: 1) == 0)
  }

  @Test("needs one where a queue cannot be used, or was never enabled")
  func badQueues() throws {
    let bad = try VirtIOPCIDeviceTests(backend: Backend(error: .guest(.layout)))
    try bad.ready()
    #expect(bad.device.read(0x14, size: 1) == 64 | 15)
    let fresh = try VirtIOPCIDeviceTests()
    fresh.device.write(0x08, 1, size: 4)
    fresh.device.write(0x0c, 1, size: 4)
    fresh.device.write(0x14, 11, size: 1)
    fresh.device.write(0x14, 15, size: 1)
    #expect(fresh.device.read(0x14, size: 1) == 64 | 15)
    #expect(fresh.backend.started.withLock { $0.isEmpty })
  }

  @Test("answers any access of a guest's to its memory")
  func everywhere() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      let offset = Int.random(in: 0..<0x8000, using: &generator)
      let size = [1, 2, 4, 8].randomElement(using: &generator) ?? 1
      let value = UInt64.random(in: 0...(.max), using: &generator) >> UInt64(64 - 8 * size)
      device.write(offset, value, size: size)
      _ = device.read(offset, size: size)
      device.writeConfiguration(offset & 0xff, value, size: size)
      _ = device.readConfiguration(offset & 0xff, size: size)
    }
  }
}
