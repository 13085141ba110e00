// SPDX-License-Identifier: Apache-2.0

/// Bytes in the order of their arrival.
struct ByteQueue {
  private var bytes: [UInt8] = []
  private var head = 0

  var count: Int { bytes.count - head }
  var isEmpty: Bool { count == 0 }

  mutating func append(_ byte: UInt8) { bytes.append(byte) }

  mutating func append(contentsOf new: some Sequence<UInt8>) { bytes.append(contentsOf: new) }

  mutating func popFirst() -> UInt8? {
    guard head < bytes.count else { return nil }
    defer {
      head += 1
      // What was read is given back once it is half of all: each byte moves once on average.
      if head * 2 >= bytes.count {
        bytes.removeFirst(head)
        head = 0
      }
    }
    return bytes[head]
  }

  mutating func removeAll() {
    bytes.removeAll()
    head = 0
  }
}
