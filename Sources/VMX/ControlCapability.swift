// SPDX-License-Identifier: Apache-2.0
import Contract

/// Something of VT-x that the monitor needs and this processor does not have, or cannot switch
/// off: a number of enum apus_control.
public struct MissingControl: Error, Equatable, Sendable {
  public let number: UInt32
  public init(number: UInt32) { self.number = number }
}

/// A word of control bits, by its number in enum apus_control.
public enum ControlWord: UInt32, Sendable {
  case pin = 1
  case primary, secondary, exit, entry, translation, basic, miscellaneous

  func missing(bit: Int) -> MissingControl { MissingControl(number: rawValue << 8 | UInt32(bit)) }
}

/// Which bits of a word of controls a processor allows to be 0 and to be 1: the lower and the
/// upper half of a capability MSR. SDM vol. 3, A.2.
public struct ControlCapability: Equatable, Sendable {
  /// Bits that must be 1.
  public let always: UInt32
  /// Bits that may be 1.
  public let possible: UInt32

  public init(_ value: UInt64) {
    always = UInt32(truncatingIfNeeded: value)
    possible = UInt32(truncatingIfNeeded: value >> 32)
  }

  /// The word with `needed` and, as far as possible, `wanted`. `unwanted` bits must be possible
  /// as 0, `changing` ones both ways; they are 0 at first. The lowest bit that cannot be had is
  /// named.
  public func settle<Word: OptionSet>(
    _ word: ControlWord, needed: Word, wanted: Word = [], changing: Word = [],
    unwanted: Word = []
  ) throws(MissingControl) -> UInt32 where Word.RawValue == UInt32 {
    let impossible = (needed.rawValue | changing.rawValue) & ~possible
    let unavoidable = (unwanted.rawValue | changing.rawValue) & always
    let wrong = impossible | unavoidable
    if wrong != 0 { throw word.missing(bit: wrong.trailingZeroBitCount) }
    return needed.rawValue | wanted.rawValue & possible | always
  }
}
