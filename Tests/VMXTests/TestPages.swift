// SPDX-License-Identifier: Apache-2.0

/// Zeroed pages that are given back at the end of a test.
final class TestPages {
  let base: UnsafeMutableRawPointer
  private let count: Int

  init(_ count: Int = 1) {
    self.count = count * 4096
    base = .allocate(byteCount: self.count, alignment: 4096)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: self.count)
  }
  deinit { base.deallocate() }

  subscript<Value: BitwiseCopyable>(_ offset: Int, as type: Value.Type) -> Value {
    get { base.loadUnaligned(fromByteOffset: offset, as: type) }
    set { base.storeBytes(of: newValue, toByteOffset: offset, as: type) }
  }
  func fill(_ byte: UInt8) { base.initializeMemory(as: UInt8.self, repeating: byte, count: count) }
}
