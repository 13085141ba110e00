// SPDX-License-Identifier: Apache-2.0

extension Array where Element == UInt8 {
  /// The little-endian number at `offset`.
  func number<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type) -> Number {
    withUnsafeBytes {
      Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
  }

  /// The little-endian number of `size` bytes, 8 at most, at `offset`; those beyond the end are `missing`.
  func number(at offset: Int, size: Int, missing: UInt8) -> UInt64 {
    (0..<size).reduce(0) {
      let byte = offset + $1 < count ? self[offset + $1] : missing
      return $0 | UInt64(byte) << (8 * UInt64($1))
    }
  }

  /// Replaces the bytes at `offset` by a little-endian number.
  mutating func store(_ value: some FixedWidthInteger, at offset: Int) {
    let width = value.bitWidth / 8
    precondition(offset + width <= count)
    for byte in 0..<width {
      self[offset + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte))
    }
  }

  mutating func append(littleEndian value: some FixedWidthInteger) {
    for byte in 0..<(value.bitWidth / 8) {
      append(UInt8(truncatingIfNeeded: value >> (8 * byte)))
    }
  }
}
