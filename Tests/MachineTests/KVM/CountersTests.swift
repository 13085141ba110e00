// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import Testing

@testable import KVM
@testable import Machine

/// The file's layout is that of Linux's Documentation/virt/kvm/api.rst, 4.133 KVM_GET_STATS_FD.
@Suite("KVM's binary statistics")
struct CountersTests {
  private struct Field {
    var name: String
    var size: UInt16 = 1
    var offset: UInt32
  }

  private static let nameSize = 16

  private func file(_ fields: [Field], data: [UInt64]) throws -> FileDescriptor {
    let path = FilePath("/tmp/apus-counters-\(UInt64.random(in: 0...UInt64.max))")
    let descriptor = try FileDescriptor.open(
      path, .readWrite, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
    let link = path.description
    defer { unlink(link) }
    let descriptionSize = 16 + Self.nameSize
    var bytes: [UInt8] = []
    for number in [
      0, UInt32(Self.nameSize), UInt32(fields.count), 24, 48,
      48 + UInt32(fields.count * descriptionSize),
    ] {
      bytes.append(littleEndian: number)
    }
    bytes += [UInt8](repeating: 0x41, count: 24)  // the id string
    for field in fields {
      bytes.append(littleEndian: UInt32(0))
      bytes.append(littleEndian: Int16(0))
      bytes.append(littleEndian: field.size)
      bytes.append(littleEndian: field.offset)
      bytes.append(littleEndian: UInt32(0))
      let name = Array(field.name.utf8)
      bytes += name + [UInt8](repeating: 0, count: Self.nameSize - name.count)
    }
    for number in data { bytes.append(littleEndian: number) }
    try descriptor.writeAll(bytes)
    return descriptor
  }

  @Test("are read by name, histograms left out")
  func read() throws {
    let descriptor = try file(
      [
        Field(name: "exits", offset: 0), Field(name: "halt_wait_hist", size: 2, offset: 8),
        Field(name: "io_exits", offset: 24),
      ], data: [100, 1, 2, 70])
    let counters = try Counters(OwnedDescriptor(descriptor.rawValue))
    #expect(try counters.values() == ["exits": 100, "io_exits": 70])
  }

  @Test("are read anew each time")
  func again() throws {
    let descriptor = try file([Field(name: "exits", offset: 0)], data: [5])
    let counters = try Counters(OwnedDescriptor(descriptor.rawValue))
    _ = try counters.values()
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt64(6))
    try descriptor.writeAll(toAbsoluteOffset: 48 + 32, bytes)
    #expect(try counters.values() == ["exits": 6])
  }

  @Test("cut short are an error, not a number")
  func truncated() throws {
    let descriptor = try file([Field(name: "exits", offset: 8)], data: [5])
    let counters = try Counters(OwnedDescriptor(descriptor.rawValue))
    #expect(throws: KVMError(call: "read of statistics", errno: .ioError)) {
      try counters.values()
    }
  }

  @Test("of a kernel that has none are empty")
  func none() throws {
    let descriptor = try file([], data: [])
    #expect(try Counters(OwnedDescriptor(descriptor.rawValue)).values().isEmpty)
  }
}
