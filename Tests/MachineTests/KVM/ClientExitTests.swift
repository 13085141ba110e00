// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing

@testable import KVM

/// Offsets are those of `struct kvm_run` in linux/kvm.h, written out.
@Suite("What KVM_RUN came back with")
final class ExitTests {
  private let area = UnsafeMutableRawBufferPointer.allocate(byteCount: 8192, alignment: 4096)

  init() { area.initializeMemory(as: UInt8.self, repeating: 0) }

  deinit { area.deallocate() }

  private func exit(reason: Int32) throws -> ClientExit {
    area.storeBytes(of: UInt32(reason), toByteOffset: 8, as: UInt32.self)
    let base = try #require(area.baseAddress)
    return ClientExit(base.assumingMemoryBound(to: kvm_run.self))
  }

  @Test("is a port access with its data where data_offset says")
  func port() throws {
    area[32] = 1  // KVM_EXIT_IO_OUT
    area[33] = 2
    area.storeBytes(of: 0x3f8, toByteOffset: 34, as: UInt16.self)
    area.storeBytes(of: 3, toByteOffset: 36, as: UInt32.self)
    area.storeBytes(of: 4096, toByteOffset: 40, as: UInt64.self)
    for index in 0..<6 { area[4096 + index] = UInt8(index + 1) }
    guard case .port(let access) = try exit(reason: 2) else {
      Issue.record("no port access")
      return
    }
    #expect(access.port == 0x3f8)
    #expect(access.size == 2)
    #expect(access.count == 3)
    #expect(access.isWrite)
    #expect(Array(access.data) == [1, 2, 3, 4, 5, 6])
  }

  @Test("is a memory access whose data can be answered")
  func memory() throws {
    area.storeBytes(of: 0xfed0_0000, toByteOffset: 32, as: UInt64.self)
    area.storeBytes(of: 4, toByteOffset: 48, as: UInt32.self)
    guard case .memory(let access) = try exit(reason: 6) else {
      Issue.record("no memory access")
      return
    }
    #expect(access.address == 0xfed0_0000)
    #expect(!access.isWrite)
    #expect(access.data.count == 4)
    access.data[3] = 0x99
    #expect(area[43] == 0x99)
  }

  @Test("is the processor's refusal with its reason")
  func entryRefused() throws {
    area.storeBytes(of: 0x8000_0021, toByteOffset: 32, as: UInt64.self)
    guard case .entryRefused(reason: 0x8000_0021) = try exit(reason: 9) else {
      Issue.record("no refusal")
      return
    }
  }

  @Test("is an internal error with no more data than there is room for")
  func internalError() throws {
    area.storeBytes(of: 3, toByteOffset: 32, as: UInt32.self)
    area.storeBytes(of: 0xffff_ffff, toByteOffset: 36, as: UInt32.self)
    area.storeBytes(of: 77, toByteOffset: 40, as: UInt64.self)
    guard case .internalError(suberror: 3, let data) = try exit(reason: 17) else {
      Issue.record("no internal error")
      return
    }
    #expect(data.count == 16)
    #expect(data[0] == 77)
  }

  @Test("keeps the number of a reason that nothing handles")
  func other() throws {
    guard case .other(99) = try exit(reason: 99) else {
      Issue.record("not kept")
      return
    }
    guard case .shutdown = try exit(reason: 8) else {
      Issue.record("no triple fault")
      return
    }
  }
}
