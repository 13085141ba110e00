// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

@testable import Emulator

@Suite("The instruction decoder")
struct DecoderTests {
  /// IN and OUT of a register, and moves of control registers, touch no memory: the processor tells
  /// of them what there is to know.
  static func touchesNoMemory(_ text: String) -> Bool {
    ["in ", "out ", "clts", "invlpg"].contains { text.hasPrefix($0) }
      || text.contains(" cr") || text.contains(", cr")
  }

  private func decode(
    _ bytes: [UInt8], _ mode: CodeSize, count: UInt8 = 15
  ) throws(DecodedInstruction.Failure) -> DecodedInstruction {
    var window = InstructionBytes(bytes)
    window.count = count
    var instruction = DecodedInstruction()
    try instruction.decode(window, mode: mode)
    return instruction
  }

  @Test("Finds the end of every instruction of an assembler's listing", arguments: Listing.all)
  func lengths(listing: Listing) throws {
    #expect(!listing.lines.isEmpty)
    for line in listing.lines where !Self.touchesNoMemory(line.text) {
      let instruction = try decode(line.bytes, listing.mode)
      #expect(Int(instruction.length) == line.bytes.count, "\(line.text)")
      #expect(instruction.isMemory == line.text.contains("ptr") || instruction.operation.isString)
    }
  }

  @Test("Asks for more bytes wherever an instruction is cut off", arguments: Listing.all)
  func truncation(listing: Listing) {
    for line in listing.lines where !Self.touchesNoMemory(line.text) {
      for count in 0..<line.bytes.count {
        #expect(throws: DecodedInstruction.Failure.truncated, "\(line.text) cut to \(count)") {
          try decode(line.bytes, listing.mode, count: UInt8(count))
        }
      }
    }
  }

  @Test(
    "Finds the displacement and the size of every memory operand of a listing",
    arguments: Listing.all)
  func operands(listing: Listing) throws {
    let sizes: [Substring: UInt8] = ["byte": 1, "word": 2, "dword": 4, "qword": 8]
    for line in listing.lines where !Self.touchesNoMemory(line.text) {
      let instruction = try decode(line.bytes, listing.mode)
      guard instruction.isMemory, let open = line.text.firstIndex(of: "["),
        let close = line.text.firstIndex(of: "]")
      else { continue }
      let address = line.text[line.text.index(after: open)..<close]
      let terms = address.replacing(" - ", with: " + -").split(separator: " + ")
      let displacement = terms.compactMap { Int64($0) }.last ?? 0
      #expect(instruction.displacement == displacement, "\(line.text)")
      #expect(instruction.isRelative == (terms.first?.hasSuffix("ip") ?? false), "\(line.text)")
      let scale = terms.first { $0.contains("*") }.flatMap { UInt8($0.prefix(1)) } ?? 1
      #expect(1 << instruction.scale == scale, "\(line.text)")
      let before = line.text[..<open].split { " ,".contains($0) }
      let word = before.last { sizes[$0] != nil }
      if let size = word.flatMap({ sizes[$0] }), instruction.operation != .storeStatusWord {
        #expect(instruction.sourceSize == size, "\(line.text)")
      }
      if let name = before.last, name.hasSuffix(":") {
        #expect("\(instruction.segment):" == name, "\(line.text)")
      }
    }
  }

  @Test("Survives any bytes, and claims no more of them than there are")
  func anyBytes() {
    var random = SystemRandomNumberGenerator()
    var decoded = 0
    for _ in 0..<50_000 {
      let count = UInt8.random(in: 0...15, using: &random)
      let bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
      for mode in [CodeSize.bits16, .bits32, .bits64] {
        guard let instruction = try? decode(bytes, mode, count: count) else { continue }
        decoded += 1
        #expect(instruction.length <= count && instruction.length > 0)
        #expect([1, 2, 4, 8, 16].contains(instruction.size))
      }
    }
    #expect(decoded > 0)
  }

  @Test("Counts prefixes")
  func prefixes() {
    #expect(InstructionBytes([0x0f, 0xa2]).prefixLength(.bits64) == 0)
    #expect(InstructionBytes([0xf3, 0x48, 0x0f, 0xa2]).prefixLength(.bits64) == 2)
    #expect(InstructionBytes([0xf3, 0x48, 0x0f, 0xa2]).prefixLength(.bits32) == 1)
    #expect(InstructionBytes([0x66, 0x2e, 0xf4]).prefixLength(.bits16) == 2)
  }
}
