// SPDX-License-Identifier: Apache-2.0

/// A set of interrupt vectors.
public struct VectorSet: Equatable, Sendable {
  private var words: InlineArray<4, UInt64> = InlineArray(repeating: 0)
  public init() {}

  public static func == (left: Self, right: Self) -> Bool {
    for index in left.words.indices where left.words[index] != right.words[index] { return false }
    return true
  }

  /// Vectors 32n to 32n + 31, as a register of the local APIC has them.
  public subscript(register number: UInt8) -> UInt32 {
    get { UInt32(truncatingIfNeeded: words[Int(number >> 1 & 3)] >> (UInt64(number & 1) * 32)) }
    set {
      let shift = UInt64(number & 1) * 32
      let rest = words[Int(number >> 1 & 3)] & ~(0xffff_ffff << shift)
      words[Int(number >> 1 & 3)] = rest | UInt64(newValue) << shift
    }
  }

  /// Whether a local APIC can have them in service: one of each priority class, and here none with an
  /// exception's number. SDM vol. 3, 11.8.3.1.
  var canBeInService: Bool {
    guard self[register: 0] == 0 else { return false }
    for number in UInt8(1)..<8 {
      let vectors = self[register: number]
      guard (vectors & 0xffff).nonzeroBitCount <= 1, (vectors >> 16).nonzeroBitCount <= 1 else {
        return false
      }
    }
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

  /// Vectors 64n to 64n + 63.
  public subscript(word number: Int) -> UInt64 {
    get { words[number & 3] }
    set { words[number & 3] = newValue }
  }

  public var highest: UInt8? {
    // At each exit of an emulated local APIC, so without a loop.
    if words[3] != 0 { return 255 - UInt8(truncatingIfNeeded: words[3].leadingZeroBitCount) }
    if words[2] != 0 { return 191 - UInt8(truncatingIfNeeded: words[2].leadingZeroBitCount) }
    if words[1] != 0 { return 127 - UInt8(truncatingIfNeeded: words[1].leadingZeroBitCount) }
    if words[0] != 0 { return 63 - UInt8(truncatingIfNeeded: words[0].leadingZeroBitCount) }
    return nil
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
