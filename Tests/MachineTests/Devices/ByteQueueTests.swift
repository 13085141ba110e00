// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("A queue of bytes")
struct ByteQueueTests {
  @Test("gives bytes back in order, however appending and taking alternate")
  func order() {
    var queue = ByteQueue()
    var next: UInt8 = 0
    var taken: [UInt8] = []
    for round in 0..<50 {
      for _ in 0..<(round % 5) {
        queue.append(next)
        next &+= 1
      }
      for _ in 0..<(round % 3) { if let byte = queue.popFirst() { taken.append(byte) } }
    }
    #expect(queue.count + taken.count == 100)
    while let byte = queue.popFirst() { taken.append(byte) }
    #expect(taken == Array(0..<100))
    #expect(queue.isEmpty)
  }
}
