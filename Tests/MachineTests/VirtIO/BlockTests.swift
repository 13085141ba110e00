// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing

@testable import Machine

@Suite("A virtio disk")
struct BlockTests {
  private let directory: FileDirectory
  private let path: String
  private let driver = PretendedDriver()

  init() throws {
    directory = try FileDirectory()
    path = directory.path + "/disk"
    // Eight sectors, each full of its own number, and a rest that is no sector.
    let sectors = (0..<8 as Range<UInt8>).map { [UInt8](repeating: $0, count: 512) }
    let bytes = sectors.joined() + [9, 9]
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  private func disk(_ option: String = "") throws -> DiskImage {
    try DiskImage(try #require(VirtualDevice.Disk(path + option)))
  }

  /// A request with its data at 0x8000: header, data, status.
  private func request(_ type: UInt32, sector: UInt64, length: UInt32, toDevice: Bool) {
    driver.store(type, at: 0x7000)
    driver.store(sector, at: 0x7008)
    driver.store(0xee as UInt8, at: 0x7800)
    driver.describe(0, address: 0x7000, length: 16, flags: 1, next: length > 0 ? 1 : 2)
    driver.describe(1, address: 0x8000, length: length, flags: toDevice ? 1 : 3, next: 2)
    driver.describe(2, address: 0x7800, length: 1, flags: 2)
    driver.offer(0)
  }

  /// Serves what was offered; the status and how much was written.
  private func serve(
    _ disk: DiskImage, features: UInt64 = 1 << 9
  ) throws -> (status: UInt8, written: UInt32) {
    let device = RequestDevice(
      BlockRequests(disk: disk, serial: "serial"), notification: try EventDescriptor())
    try device.start(
      [ReadyQueue(layout: driver.layout, notification: try EventDescriptor(), interrupt: nil)],
      features: features, memory: driver.memory, violated: { Issue.record("a violation") })
    device.serve()
    return (driver.load(UInt8.self, at: 0x7800), driver.lastUsed.written)
  }

  @Test("reads")
  func reads() throws {
    request(0, sector: 3, length: 1024, toDevice: false)
    #expect(try serve(try disk()) == (0, 1025))
    #expect(driver.load(UInt8.self, at: 0x8000) == 3)
    #expect(driver.load(UInt8.self, at: 0x83ff) == 4)
  }

  @Test("writes, and flushes")
  func writes() throws {
    driver.store(0x55 as UInt8, at: 0x8000)
    request(1, sector: 7, length: 512, toDevice: true)
    #expect(try serve(try disk()) == (0, 1))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(bytes[7 * 512] == 0x55)
    #expect(bytes[7 * 512 + 1] == 0)
    #expect(bytes[7 * 512 - 1] == 6)
    #expect(bytes.count == 8 * 512 + 2)
  }

  @Test("flushes")
  func flushes() throws {
    request(4, sector: 0, length: 0, toDevice: true)
    #expect(try serve(try disk()) == (0, 1))
  }

  @Test("says its serial number")
  func identity() throws {
    request(8, sector: 0, length: 20, toDevice: false)
    #expect(try serve(try disk()) == (0, 21))
    #expect(driver.load(UInt8.self, at: 0x8000) == UInt8(ascii: "s"))
    #expect(driver.load(UInt8.self, at: 0x8006) == 0)
  }

  @Test(
    "fails a request beyond its end, or of half a sector, and touches nothing",
    arguments: [
      (0, 8, 512), (0, 7, 1024), (0, 0, 511), (0, .max, 512), (0, 1 << 55, 512), (1, 8, 512),
      (1, 7, 1024), (1, .max, 1024),
    ] as [(UInt32, UInt64, UInt32)])
  func beyond(type: UInt32, sector: UInt64, length: UInt32) throws {
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    request(type, sector: sector, length: length, toDevice: type == 1)
    #expect(try serve(try disk()) == (1, 1))
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
  }

  @Test("does not know other requests")
  func unsupported() throws {
    request(11, sector: 0, length: 512, toDevice: true)
    #expect(try serve(try disk()) == (2, 1))
  }

  @Test("is not written to where it is read-only, and says so")
  func readOnly() throws {
    let disk = try disk(",readonly")
    #expect(BlockRequests(disk: disk, serial: "").features & 1 << 5 != 0)
    request(1, sector: 0, length: 512, toDevice: true)
    #expect(try serve(disk) == (1, 1))
  }

  @Test("fails a request without a whole header, and ignores one without a status")
  func malformed() throws {
    driver.describe(0, address: 0x7000, length: 15, flags: 1, next: 1)
    driver.describe(1, address: 0x7800, length: 1, flags: 2)
    driver.offer(0)
    #expect(try serve(try disk()) == (1, 1))
    let other = BlockTests.Chain(readable: [0x7000..<0x7010])
    let requests = BlockRequests(disk: try disk(), serial: "")
    #expect(requests.serve(other.chain(driver), features: 0) == 0)
  }

  @Test("does not mind where buffers end")
  func scattered() throws {
    driver.store(0 as UInt32, at: 0x7000)
    driver.store(2 as UInt64, at: 0x7008)
    let chain = Chain(
      readable: [0x7000..<0x7003, 0x7003..<0x7003, 0x7003..<0x7010],
      writable: [0x8000..<0x8001, 0x8001..<0x8200, 0x9000..<0x9200, 0x9800..<0x9801])
    let requests = BlockRequests(disk: try disk(), serial: "")
    #expect(requests.serve(chain.chain(driver), features: 0) == 1025)
    #expect(driver.load(UInt8.self, at: 0x81ff) == 2)
    #expect(driver.load(UInt8.self, at: 0x91ff) == 3)
    #expect(driver.load(UInt8.self, at: 0x9800) == 0)
  }

  private struct Chain {
    var readable: [Range<UInt64>] = []
    var writable: [Range<UInt64>] = []

    func chain(_ driver: PretendedDriver) -> VirtQueue.Chain {
      func buffers(_ ranges: [Range<UInt64>]) -> [UnsafeMutableRawBufferPointer] {
        ranges.compactMap { driver.memory.bytes(at: $0.lowerBound, size: $0.count) }
      }
      return .init(head: 0, readable: buffers(readable), writable: buffers(writable))
    }
  }

  @Test("tells of 8 sectors and of segments that fit into its queue")
  func configuration() throws {
    let bytes = BlockRequests(disk: try disk(), serial: "").configuration
    #expect(bytes.number(at: 0, as: UInt64.self) == 8)
    #expect(bytes.number(at: 8, as: UInt32.self) == 1 << 20)
    #expect(bytes.number(at: 12, as: UInt32.self) == 254)
  }

  @Test("is nobody else's, but for reading, and free again afterwards")
  func locked() throws {
    do {
      let disk = try disk()
      #expect(throws: VirtualDeviceError.diskInUse(path: path, isReadOnly: false)) {
        try self.disk()
      }
      #expect(throws: VirtualDeviceError.diskInUse(path: path, isReadOnly: true)) {
        try self.disk(",readonly")
      }
      withExtendedLifetime(disk) {}
    }
    let first = try disk(",readonly")
    let second = try disk(",readonly")
    #expect(throws: VirtualDeviceError.diskInUse(path: path, isReadOnly: false)) { try self.disk() }
    withExtendedLifetime((first, second)) {}
  }

  @Test("is refused where it is not there, or empty, or no disk")
  func refused() throws {
    let empty = directory.path + "/empty"
    try Data([1]).write(to: URL(fileURLWithPath: empty))
    func open(_ path: String) throws -> DiskImage {
      try DiskImage(try #require(VirtualDevice.Disk(path)))
    }
    #expect(throws: VirtualDeviceError.diskEmpty(path: empty)) { try open(empty) }
    #expect(throws: VirtualDeviceError.disk(path: path + "x", .noSuchFileOrDirectory)) {
      try open(path + "x")
    }
    #expect(throws: VirtualDeviceError.notADisk(path: "/dev/null")) { try open("/dev/null") }
  }

  @Test("that the guest hands rubbish to needs a reset, and touches its queue no more")
  func violation() throws {
    let count = Mutex(0)
    let device = RequestDevice(
      BlockRequests(disk: try disk(), serial: ""), notification: try EventDescriptor())
    try device.start(
      [ReadyQueue(layout: driver.layout, notification: try EventDescriptor(), interrupt: nil)],
      features: 0, memory: driver.memory
    ) { count.withLock { $0 += 1 } }
    driver.describe(0, address: 0x8000, length: 4, flags: 1, next: 0)
    driver.offer(0)
    device.serve()
    device.serve()
    #expect(count.withLock { $0 } == 1)
    #expect(driver.usedIndex == 0)
  }
}

/// A directory of a test's own, that goes with what is in it.
private final class FileDirectory: Sendable {
  let path: String

  init() throws {
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("apus-disk-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    path = directory.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
