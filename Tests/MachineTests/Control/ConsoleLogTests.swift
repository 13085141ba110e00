// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Machine

@Suite("The console's log")
struct ConsoleLogTests {
  @Test("gives back what was written, in parts")
  func parts() {
    let log = ConsoleLog(capacity: 16)
    log.append(Array("guest".utf8))
    #expect(log.read(from: 0, limit: 3) == .init(bytes: Array("gue".utf8), end: 3, lost: 0))
    #expect(log.read(from: 3, limit: 99) == .init(bytes: Array("st".utf8), end: 5, lost: 0))
    #expect(log.read(from: 5, limit: 99) == .init(bytes: [], end: 5, lost: 0))
  }

  @Test("keeps the newest bytes and says how many a slow reader has lost")
  func wraps() {
    let log = ConsoleLog(capacity: 16)
    log.append((0..<40).map { UInt8($0) })
    #expect(log.read(from: 0, limit: 99) == .init(bytes: Array(24..<40), end: 40, lost: 24))
    #expect(log.read(from: 20, limit: 2) == .init(bytes: [24, 25], end: 26, lost: 4))
    #expect(log.read(from: 100, limit: 2) == .init(bytes: [], end: 40, lost: 0))
  }

  @Test("tells a waiting reader once, and nobody who does not wait")
  func event() {
    let log = ConsoleLog(capacity: 16)
    func isReadable() -> Bool {
      var source = pollfd(fd: log.event, events: Int16(POLLIN), revents: 0)
      return poll(&source, 1, 0) == 1
    }
    log.append([1])
    #expect(!isReadable())
    log.await()
    log.append([2])
    #expect(isReadable())
    log.await()
    #expect(!isReadable())
  }
}
