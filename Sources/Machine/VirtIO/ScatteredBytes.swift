// SPDX-License-Identifier: Apache-2.0

/// The bytes of several buffers in a row. Where one buffer ends and the next begins means nothing
/// (Virtual I/O Device 1.2, 2.7.4).
struct ScatteredBytes {
  private(set) var buffers: [UnsafeMutableRawBufferPointer]

  init(_ buffers: [UnsafeMutableRawBufferPointer]) {
    self.buffers = buffers.filter { !$0.isEmpty }
  }

  var count: Int { buffers.reduce(0) { $0 + $1.count } }

  /// Copies the first `size` bytes and takes them away; nil: there are not as many.
  mutating func take(_ size: Int) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < size, let buffer = buffers.first {
      let part = min(size - bytes.count, buffer.count)
      bytes += buffer[..<part]
      buffers[0] = UnsafeMutableRawBufferPointer(rebasing: buffer[part...])
      if buffers[0].isEmpty { buffers.removeFirst() }
    }
    return bytes.count == size ? bytes : nil
  }

  /// Takes the last byte away.
  mutating func takeLast() -> UnsafeMutablePointer<UInt8>? {
    guard let buffer = buffers.popLast(), let start = buffer.baseAddress else { return nil }
    let last = start + (buffer.count - 1)
    if buffer.count > 1 {
      buffers.append(UnsafeMutableRawBufferPointer(rebasing: buffer.dropLast()))
    }
    return last.assumingMemoryBound(to: UInt8.self)
  }

  /// Writes as many of `bytes` as there is place for: how many.
  func write(_ bytes: [UInt8]) -> Int {
    var rest = bytes[...]
    for buffer in buffers {
      let part = rest.prefix(buffer.count)
      buffer.copyBytes(from: part)
      rest = rest.dropFirst(part.count)
    }
    return bytes.count - rest.count
  }
}
