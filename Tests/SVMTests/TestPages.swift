// SPDX-License-Identifier: Apache-2.0

/// Zeroed pages that are given back at the end of a test.
final class TestPages {
  let base: UnsafeMutableRawPointer
  init(_ count: Int = 1) {
    base = .allocate(byteCount: count * 4096, alignment: 4096)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: count * 4096)
  }
  deinit { base.deallocate() }

  subscript<Value: BitwiseCopyable>(_ offset: Int, as type: Value.Type) -> Value {
    get { base.loadUnaligned(fromByteOffset: offset, as: type) }
    set { base.storeBytes(of: newValue, toByteOffset: offset, as: type) }
  }
}
