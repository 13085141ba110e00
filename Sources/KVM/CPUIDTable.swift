// SPDX-License-Identifier: Apache-2.0
import Contract

/// `struct kvm_cpuid2`: a count, padding, and that many entries.
struct CPUIDTable {
  private static let headerSize = MemoryLayout<UInt64>.size
  private static let entrySize = MemoryLayout<kvm_cpuid_entry2>.stride
  private var words: [UInt64]

  init(capacity: Int) {
    words = Array(repeating: 0, count: 1 + capacity * Self.entrySize / MemoryLayout<UInt64>.size)
    words[0] = UInt64(capacity)
  }

  init(_ entries: [kvm_cpuid_entry2]) {
    self.init(capacity: entries.count)
    words.withUnsafeMutableBytes { bytes in
      for (index, entry) in entries.enumerated() {
        bytes.storeBytes(
          of: entry, toByteOffset: Self.headerSize + index * Self.entrySize,
          as: kvm_cpuid_entry2.self)
      }
    }
  }

  var entries: [kvm_cpuid_entry2] {
    words.withUnsafeBytes { bytes in
      let count = Int(bytes.load(as: UInt32.self))
      return (0..<count).map {
        bytes.load(fromByteOffset: Self.headerSize + $0 * Self.entrySize, as: kvm_cpuid_entry2.self)
      }
    }
  }

  mutating func withPointer<Result, Failure: Error>(
    _ body: (UnsafeMutableRawPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try words.withUnsafeMutableBufferPointer { buffer throws(Failure) in
      guard let base = buffer.baseAddress else { preconditionFailure("a table has a header") }
      return try body(UnsafeMutableRawPointer(base))
    }
  }
}
