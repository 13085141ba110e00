// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

/// Instructions as an assembler encoded them and its listing shows them: the bytes, and the
/// text in Intel's syntax, constants as signed numbers.
struct Listing: CustomTestStringConvertible {
  struct Line {
    let bytes: [UInt8]
    let text: String
  }
  let name: String
  let mode: CodeSize
  let lines: [Line]

  init(_ name: String, _ mode: CodeSize, _ text: String) {
    self.name = name
    self.mode = mode
    lines = text.split(separator: "\n").map { line in
      let parts = line.split(separator: " ", maxSplits: 1)
      return Line(
        bytes: hexadecimal(String(parts[0])),
        text: parts[1].trimmingPrefix { $0 == " " }.description)
    }
  }

  var testDescription: String { "\(name), \(mode)" }
  static var all: [Listing] { bits64 + bits32 + bits16 }
}

/// The bytes of a string of hexadecimal digits; spaces are left out.
func hexadecimal(_ text: String) -> [UInt8] {
  let digits = text.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map {
    UInt8(digits[$0] << 4 | digits[$0 + 1])
  }
}

/// Decodes bytes behind which others follow, as they do in memory.
func parse(
  _ bytes: [UInt8], _ mode: CodeSize, count: Int? = nil
) throws(DecodingFailure) -> Instruction {
  var window: InlineArray<16, UInt8> = InlineArray(repeating: 0xcc)
  for (index, byte) in bytes.prefix(16).enumerated() { window[index] = byte }
  return try InstructionDecoder.parse(window, count: count ?? 15, mode: mode)
}

func parse(_ text: String, _ mode: CodeSize) throws(DecodingFailure) -> Instruction {
  try parse(hexadecimal(text), mode)
}
