// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing

@testable import KVM

/// A ring that the test fills as the kernel does.
final class FilledRing: @unchecked Sendable {
  private let page = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 4096)
  var ring: CoalescedRing { CoalescedRing(page: page) }

  init() { page.initializeMemory(as: UInt8.self, repeating: 0, count: 4096) }
  deinit { page.deallocate() }

  var first: UInt32 {
    get { page.load(as: UInt32.self) }
    set { page.storeBytes(of: newValue, as: UInt32.self) }
  }
  var last: UInt32 {
    get { page.load(fromByteOffset: 4, as: UInt32.self) }
    set { page.storeBytes(of: newValue, toByteOffset: 4, as: UInt32.self) }
  }

  func add(_ address: UInt64, pio: UInt32 = 1, length: UInt32 = 1, _ data: UInt64) {
    let place = 8 + Int(last) * 24
    page.storeBytes(of: address, toByteOffset: place, as: UInt64.self)
    page.storeBytes(of: length, toByteOffset: place + 8, as: UInt32.self)
    page.storeBytes(of: pio, toByteOffset: place + 12, as: UInt32.self)
    page.storeBytes(of: data, toByteOffset: place + 16, as: UInt64.self)
    last = (last + 1) % 170
  }
}

@Suite("The ring of coalesced writes")
struct CoalescedRingTests {
  private let filled = FilledRing()

  private func drain() -> [UInt64] {
    var values: [UInt64] = []
    filled.ring.drain { values.append($0.value) }
    return values
  }

  @Test("has the kernel's number of entries: a page less two words, in 24 bytes each")
  func capacity() { #expect(CoalescedRing.capacity == 170) }

  @Test("gives each write once, in order, also around its end")
  func order() {
    filled.first = 168
    filled.last = 168
    #expect(filled.ring.isEmpty)
    for value in 1...4 as ClosedRange<UInt64> { filled.add(0x3f8, value) }
    #expect(!filled.ring.isEmpty)
    #expect(drain() == [1, 2, 3, 4])
    #expect(filled.first == 2)
    #expect(filled.ring.isEmpty)
    #expect(drain() == [])
  }

  @Test("gives address, space, size, and only those bytes that were written")
  func entry() {
    filled.add(0x3f8, length: 2, 0x1122_3344_5566_7788)
    filled.add(0xd000_0000, pio: 0, length: 8, .max)
    var writes: [CoalescedWrite] = []
    filled.ring.drain { writes.append($0) }
    #expect(writes.map(\.address) == [0x3f8, 0xd000_0000])
    #expect(writes.map(\.isPort) == [true, false])
    #expect(writes.map(\.size) == [2, 8])
    #expect(writes.map(\.value) == [0x7788, .max])
  }

  @Test("keeps a write until it is delivered: empty means that none is on its way")
  func delivery() {
    filled.add(0x3f8, 1)
    filled.ring.drain { _ in
      #expect(!filled.ring.isEmpty)
      #expect(filled.first == 0)
    }
    #expect(filled.ring.isEmpty)
  }

  @Test("has an end although the guest goes on writing")
  func endless() {
    filled.add(0x3f8, 1)
    var count = 0
    filled.ring.drain { _ in
      count += 1
      filled.add(0x3f8, 2)
    }
    #expect(count == 1)
    #expect(drain() == [2])
  }

  @Test("is left alone where its words make no sense")
  func broken() {
    filled.last = 170
    #expect(drain() == [])
    filled.last = 0
    filled.first = .max
    #expect(drain() == [])
  }
}
