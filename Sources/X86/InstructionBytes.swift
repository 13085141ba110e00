// SPDX-License-Identifier: Apache-2.0

/// The bytes of an instruction on their way through the decoder.
struct InstructionBytes {
  private let bytes: InlineArray<16, UInt8>
  private let count: Int
  private(set) var position = 0

  init(_ bytes: InlineArray<16, UInt8>, count: Int) {
    self.bytes = bytes
    self.count = min(max(count, 0), InstructionDecoder.longest)
  }

  var peek: UInt8? { position < count ? bytes[position] : nil }

  mutating func skip() { position += 1 }

  mutating func next() throws(DecodingFailure) -> UInt8 {
    guard let byte = peek else {
      throw position >= InstructionDecoder.longest ? .tooLong : .truncated
    }
    position += 1
    return byte
  }

  /// A little-endian number of `size` bytes, sign-extended.
  mutating func number(_ size: UInt8) throws(DecodingFailure) -> Int64 {
    var value: UInt64 = 0
    for byte in 0..<UInt64(size) { value |= try UInt64(next()) << (byte * 8) }
    return Instruction.signed(value, size)
  }
}

/// Why bytes are not an instruction that the decoder knows.
public enum DecodingFailure: Error, Equatable, Sendable {
  /// More bytes are needed than there are.
  case truncated
  /// More than 15 bytes: for the guest a general protection fault. SDM vol. 2, 2.3.11.
  case tooLong
  /// None that the monitor finishes for a guest, or not an instruction at all.
  case unsupported
}
