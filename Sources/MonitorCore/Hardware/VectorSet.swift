// SPDX-License-Identifier: Apache-2.0

/// A set of interrupt vectors.
public struct VectorSet: Equatable, Sendable {
  private var words: InlineArray<4, UInt64> = InlineArray(repeating: 0)
  public init() {}

  public static func == (left: Self, right: Self) -> Bool {
    for index in left.words.indices where left.words[index] != right.words[index] { return false }
    return true
  }

  public var isEmpty: Bool { words[0] | words[1] | words[2] | words[3] == 0 }

  public func contains(_ vector: UInt8) -> Bool {
    words[Int(vector >> 6)] & 1 << UInt64(vector & 63) != 0
  }
  public mutating func insert(_ vector: UInt8) {
    words[Int(vector >> 6)] |= 1 << UInt64(vector & 63)
  }
  public mutating func remove(_ vector: UInt8) {
    words[Int(vector >> 6)] &= ~(1 << UInt64(vector & 63))
  }

  /// Takes the lowest vector out.
  public mutating func popFirst() -> UInt8? {
    for index in words.indices where words[index] != 0 {
      let vector = UInt8(index * 64 + words[index].trailingZeroBitCount)
      remove(vector)
      return vector
    }
    return nil
  }
}
