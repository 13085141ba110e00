// SPDX-License-Identifier: Apache-2.0

/// The bytes at RIP as two little-endian words, and how many of them could be fetched.
public struct InstructionBytes: Equatable, Sendable {
  public var low: UInt64
  public var high: UInt64
  public var count: UInt8

  public init(low: UInt64 = 0, high: UInt64 = 0, count: UInt8 = 15) {
    self.low = low
    self.high = high
    self.count = count
  }

  /// Adds a byte behind those that there are.
  public mutating func append(_ byte: UInt8) {
    let bits = UInt64(count & 7) * 8
    if count < 8 {
      low |= UInt64(byte) << bits
    } else {
      high |= UInt64(byte) << bits
    }
    count += 1
  }

  /// Bytes of the longest instruction. SDM vol. 2, 2.3.11.
  public static var longest: UInt8 { 15 }
}

/// Takes an instruction's bytes one after another. Bytes beyond the last are zero: whoever has
/// finished compares `position` with what there was.
struct ByteReader {
  private var low: UInt64
  private var high: UInt64
  private(set) var position: UInt8 = 0

  @inline(__always) init(_ bytes: InstructionBytes) {
    low = bytes.low
    high = bytes.high
  }

  @inline(__always) mutating func next() -> UInt8 {
    let byte = UInt8(truncatingIfNeeded: low)
    skip(1)
    return byte
  }

  /// A little-endian number of 0, 1, 2, 4 or 8 bytes, sign-extended.
  @inline(__always) mutating func number(_ size: UInt8) -> Int64 {
    let word = Int64(bitPattern: low)
    switch size {
    case 0: return 0
    case 1:
      skip(1)
      return Int64(Int8(truncatingIfNeeded: word))
    case 2:
      skip(2)
      return Int64(Int16(truncatingIfNeeded: word))
    case 4:
      skip(4)
      return Int64(Int32(truncatingIfNeeded: word))
    default:
      low = high
      high = 0
      position &+= 8
      return word
    }
  }

  /// 1 to 7 bytes.
  @inline(__always) private mutating func skip(_ count: UInt8) {
    let bits = UInt64(count) &* 8
    low = low &>> bits | high &<< (64 &- bits)
    high = high &>> bits
    position &+= count
  }
}
