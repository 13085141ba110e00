// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("A virtqueue")
struct VirtQueueTests {
  private let driver = PretendedDriver()

  @Test("is empty until the guest makes something available")
  func empty() throws {
    var queue = try driver.queue()
    #expect(try queue.next() == nil)
  }

  @Test("hands over what is to be read and what is to be written, in order, and takes it back")
  func chain() throws {
    var queue = try driver.queue()
    driver.describe(3, address: 0x8000, length: 16, flags: 1, next: 5)
    driver.describe(5, address: 0x10_0800, length: 0x800, flags: 1, next: 0)
    driver.describe(0, address: 0x9000, length: 1, flags: 2)
    driver.offer(3)
    let chain = try #require(try queue.next())
    #expect(chain.head == 3)
    #expect(chain.readable.map(\.count) == [16, 0x800])
    #expect(chain.writable.map(\.count) == [1])
    #expect(try queue.next() == nil)
    queue.put(chain, written: 1)
    #expect(driver.usedIndex == 1)
    #expect(driver.lastUsed == (3, 1))
  }

  @Test("goes round many times")
  func wrapping() throws {
    var queue = try driver.queue()
    driver.describe(0, address: 0x8000, length: 4, flags: 2)
    for round in 1...70_000 {
      driver.offer(0)
      let chain = try #require(try queue.next())
      queue.put(chain, written: 4)
      #expect(driver.usedIndex == UInt16(truncatingIfNeeded: round))
    }
  }

  @Test("follows a table of indirect descriptors, as long as the queue")
  func indirect() throws {
    var queue = try driver.queue()
    driver.describe(1, address: 0x4000, length: 8 * 16, flags: 4)
    for index in 0..<8 as Range<UInt64> {
      driver.describe(
        index, address: 0x8000 + 16 * index, length: 16, flags: index < 7 ? 1 : 0,
        next: UInt16(index + 1), table: 0x4000)
    }
    driver.offer(1)
    #expect(try queue.next()?.readable.count == 8)
  }

  @Test("knows whether the guest wants interrupts and says whether it wants notifications")
  func suppression() throws {
    let queue = try driver.queue()
    #expect(queue.wantsInterrupt)
    driver.store(1 as UInt16, at: driver.layout.available)
    #expect(!queue.wantsInterrupt)
    queue.wantNotifications(false)
    #expect(driver.load(UInt16.self, at: driver.layout.used) == 1)
    queue.wantNotifications(true)
    #expect(driver.load(UInt16.self, at: driver.layout.used) == 0)
  }

  /// What no guest does that means well: the layout is the driver's, but for one thing.
  @Test(
    "is refused where it does not lie in memory, or is no power of two, or is misaligned",
    arguments: [
      VirtQueue.Layout(size: 0, descriptors: 0x1000, available: 0x2000, used: 0x3000),
      .init(size: 3, descriptors: 0x1000, available: 0x2000, used: 0x3000),
      .init(size: 8, descriptors: 0x1008, available: 0x2000, used: 0x3000),
      .init(size: 8, descriptors: 0x1000, available: 0x2001, used: 0x3000),
      .init(size: 8, descriptors: 0x1000, available: 0x2000, used: 0x3002),
      .init(size: 8, descriptors: 0xffc0, available: 0x2000, used: 0x3000),
      .init(size: 8, descriptors: 0x1000, available: 0xfffe, used: 0x3000),
      .init(size: 8, descriptors: 0x1000, available: 0x2000, used: 0x5_0000),
      .init(size: 0x8000, descriptors: 0x1000, available: 0x2000, used: 0x3000),
      .init(size: 8, descriptors: 0xffff_ffff_ffff_fff0, available: 0x2000, used: 0x3000),
    ])
  func badLayout(layout: VirtQueue.Layout) {
    #expect(throws: VirtQueue.Violation.layout) { try VirtQueue(layout, in: driver.memory) }
  }

  @Test("is broken by an index that is further ahead than it has descriptors")
  func availableIndex() throws {
    var queue = try driver.queue()
    driver.store(9 as UInt16, at: driver.layout.available + 2)
    #expect(throws: VirtQueue.Violation.availableIndex) { try queue.next() }
  }

  @Test("is broken by an index beyond the table, at the head and within a chain")
  func descriptorIndex() throws {
    for (head, next) in [(8, 0), (0xffff, 0), (0, 8), (0, 0xffff)] as [(UInt16, UInt16)] {
      let driver = PretendedDriver()
      var queue = try driver.queue()
      driver.describe(0, address: 0x8000, length: 4, flags: 1, next: next)
      driver.offer(head)
      #expect(throws: VirtQueue.Violation.descriptorIndex) { try queue.next() }
    }
  }

  @Test("is broken by a chain that goes in a circle, in the queue and in a table")
  func circle() throws {
    var queue = try driver.queue()
    driver.describe(0, address: 0x8000, length: 4, flags: 1, next: 1)
    driver.describe(1, address: 0x8000, length: 4, flags: 1, next: 0)
    driver.offer(0)
    #expect(throws: VirtQueue.Violation.endlessChain) { try queue.next() }

    let other = PretendedDriver()
    var second = try other.queue()
    other.describe(0, address: 0x4000, length: 16, flags: 4)
    other.describe(0, address: 0x8000, length: 4, flags: 1, next: 0, table: 0x4000)
    other.offer(0)
    #expect(throws: VirtQueue.Violation.endlessChain) { try second.next() }
  }

  @Test(
    "is broken by a buffer that is not all in memory",
    arguments: [
      (0x1_0000, 1), (0xffff, 2), (0xf_ffff, 2), (0x10_0fff, 2), (0x8000, 0xffff_ffff),
      (0xffff_ffff_ffff_ffff, 2), (0xffff_ffff_0000_0000, 0xffff_ffff),
    ] as [(UInt64, UInt32)])
  func outside(address: UInt64, length: UInt32) throws {
    var queue = try driver.queue()
    driver.describe(0, address: address, length: length)
    driver.offer(0)
    #expect(throws: VirtQueue.Violation.bufferOutsideMemory) { try queue.next() }
  }

  @Test("is broken by a buffer to read behind one to write")
  func order() throws {
    var queue = try driver.queue()
    driver.describe(0, address: 0x8000, length: 4, flags: 3, next: 1)
    driver.describe(1, address: 0x8000, length: 4)
    driver.offer(0)
    #expect(throws: VirtQueue.Violation.bufferOrder) { try queue.next() }
  }

  @Test("is broken by a table in a table, with a successor, of an odd size, or outside memory")
  func indirectTables() throws {
    let violations: [(UInt32, UInt16, UInt64, VirtQueue.Violation)] = [
      (0, 4, 0x4000, .indirectTable), (17, 4, 0x4000, .indirectTable),
      (16, 5, 0x4000, .indirectTable), (16, 4, 0x4000, .indirectTable),
      (0xffff_fff0, 4, 0x4000, .bufferOutsideMemory), (16, 4, 0x2_0000, .bufferOutsideMemory),
    ]
    for (length, flags, address, violation) in violations {
      let driver = PretendedDriver()
      var queue = try driver.queue()
      driver.describe(0, address: address, length: length, flags: flags)
      driver.describe(0, address: 0x4000, length: 16, flags: 4, table: 0x4000)
      driver.offer(0)
      #expect(throws: violation) { try queue.next() }
    }
  }

  @Test("ends in a chain or a violation whatever its bytes are")
  func random() throws {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let driver = PretendedDriver()
      var queue = try driver.queue()
      for index in 0..<8 as Range<UInt64> {
        driver.describe(
          index, address: .random(in: 0...0x11_0000, using: &generator),
          length: .random(in: 0...0x2000, using: &generator), flags: .random(in: 0...7),
          next: .random(in: 0...9, using: &generator))
      }
      driver.offer(.random(in: 0...9))
      do {
        let chain = try #require(try queue.next())
        #expect(chain.readable.count + chain.writable.count <= 8)
      } catch is VirtQueue.Violation {}
    }
  }
}
