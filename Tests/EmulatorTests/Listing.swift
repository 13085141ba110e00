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
