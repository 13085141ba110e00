// SPDX-License-Identifier: Apache-2.0
import Contract

/// A piece of memory, at its physical address as everything is here. Safe to use: each access is
/// held against the size, and memory is never unmapped.
@safe struct Block {
  let address: UInt64
  let size: Int

  func pointer(_ offset: Int, _ length: Int) -> UnsafeMutableRawPointer {
    precondition(offset >= 0 && length >= 0 && offset + length <= size)
    guard let base = unsafe UnsafeMutableRawPointer(bitPattern: UInt(address)) else {
      preconditionFailure()
    }
    return unsafe base + offset
  }

  func clear() {
    unsafe pointer(0, size).initializeMemory(as: UInt8.self, repeating: 0, count: size)
  }

  func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
    unsafe pointer(offset, MemoryLayout<Value>.size).storeBytes(of: value, as: Value.self)
  }
  func load<Value: BitwiseCopyable>(_ type: Value.Type = Value.self, at offset: Int) -> Value {
    unsafe pointer(offset, MemoryLayout<Value>.size).loadUnaligned(as: Value.self)
  }
  /// The structure at an offset, for as long as the machine runs.
  func structure<Value>(_ type: Value.Type, at offset: Int) -> UnsafeMutablePointer<Value> {
    unsafe pointer(offset, MemoryLayout<Value>.size).assumingMemoryBound(to: Value.self)
  }

  /// A word that another CPU writes.
  func word(at offset: Int) -> UInt64 {
    unsafe loadAcquire(UnsafePointer(structure(UInt64.self, at: offset)))
  }
  func copy(_ count: Int, from source: Block, at sourceOffset: Int, to offset: Int) {
    unsafe pointer(offset, count).copyMemory(
      from: source.pointer(sourceOffset, count), byteCount: count)
  }
}
