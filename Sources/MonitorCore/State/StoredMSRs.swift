// SPDX-License-Identifier: Apache-2.0

/// MSRs that are memory only: what a stock kernel writes and wants to read back, and that
/// has no effect under nested paging (memory types come from the nested tables and PAT).
public struct StoredMSRs: Sendable {
  /// The first word of each MSR or group of MSRs.
  enum Word: UInt8 {
    /// Base and mask of eight ranges.
    case mtrrVariable = 0
    /// 64K, two 16K, eight 4K.
    case mtrrFixed = 16
    case mtrrDefaultType = 27
    case miscellaneousEnable
    case hardwareConfiguration
    case decodeConfiguration
    case systemConfiguration
    case northbridgeConfiguration
    case loadStoreConfiguration
    case microcodeRevision
    case tscAdjust
    case debugControl
    case featureControl
  }

  private var words: InlineArray<40, UInt64> = InlineArray(repeating: 0)

  public init() {
    for index in 16..<27 { words[index] = 0x0606_0606_0606_0606 }
    // MTRRs on, fixed ranges on, write-back by default.
    self[.mtrrDefaultType] = 0xc06
    self[.decodeConfiguration] = 1 << 1
  }

  @inline(__always)
  subscript(_ word: UInt8) -> UInt64 {
    mutating get { words[min(Int(word), 39)] }
    set { words[min(Int(word), 39)] = newValue }
  }
  subscript(_ word: Word) -> UInt64 {
    mutating get { self[word.rawValue] }
    set { self[word.rawValue] = newValue }
  }
}
