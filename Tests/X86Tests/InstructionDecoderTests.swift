// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

@Suite("The instruction decoder")
struct InstructionDecoderTests {
  @Test("Reads an assembler's output to the byte", arguments: Listing.all)
  func listings(listing: Listing) throws {
    #expect(!listing.lines.isEmpty)
    for line in listing.lines {
      let instruction = try parse(line.bytes, listing.mode)
      #expect(instruction.assembly == line.text)
      #expect(Int(instruction.length) == line.bytes.count, "\(line.text)")
    }
  }

  @Test("Asks for more bytes wherever an instruction is cut off", arguments: Listing.all)
  func truncation(listing: Listing) {
    for line in listing.lines {
      for count in 0..<line.bytes.count {
        #expect(throws: DecodingFailure.truncated, "\(line.text) cut to \(count)") {
          try parse(line.bytes, listing.mode, count: count)
        }
      }
    }
  }

  @Test(
    "Refuses what it does not finish for a guest",
    arguments: [
      ("0f1000", "MOVUPS"), ("660f6f00", "MOVDQA"), ("660f7e00", "MOVD"), ("0f7f00", "MOVQ"),
      ("0fc30f", "MOVNTI"), ("c5f86f00", "VEX"), ("62f17c48100 0", "EVEX"), ("0fc708", "CMPXCHG8B"),
      ("480fc708", "CMPXCHG16B"), ("0f38f000", "MOVBE"), ("0f3a0f00", "three bytes"),
      ("d800", "FADD"),
      ("8f00", "POP"), ("8c00", "MOV of a segment"), ("f620", "MUL"), ("f730", "DIV"),
      ("ff10", "CALL"), ("ff20", "JMP"), ("ff38", "group 5 without a meaning"),
      ("fe10", "group 4 without a meaning"), ("c608", "C6 without a meaning"), ("c7f8", "XBEGIN"),
      ("8200", "82, which 64-bit code has not"), ("a6", "CMPS"), ("ae", "SCAS"), ("c100", "shift"),
      ("0faf00", "IMUL"), ("0f4000", "CMOV"), ("0fba18", "group 8 without a meaning"),
      ("666300", "MOVSXD of 2 bytes"), ("0f20c8", "CR1"), ("0f22e8", "CR5"), ("0f21c0", "DR0"),
      ("0f01d9", "VMMCALL"), ("0f01f8", "SWAPGS"), ("0f0110", "LGDT"), ("90", "NOP"), ("f4", "HLT"),
      ("c3", "RET"), ("06", "PUSH ES"), ("04ff", "ADD AL"), ("d5", "APX"),
    ])
  func refusals(bytes: String, name: String) {
    #expect(throws: DecodingFailure.unsupported, "\(name)") { try parse(bytes, .bits64) }
  }

  @Test(
    "Refuses LOCK where the processor does",
    arguments: [
      "f08800", "f00200", "f001c0", "f03900", "f08500", "f00fa308", "f00fba20 01", "f0a4",
    ])
  func lock(bytes: String) {
    #expect(throws: DecodingFailure.unsupported) { try parse(bytes, .bits64) }
  }

  @Test("Has ARPL where 64-bit code has MOVSXD, and refuses it")
  func modes() {
    #expect(throws: DecodingFailure.unsupported) { try parse("6300", .bits32) }
    #expect(throws: DecodingFailure.unsupported) { try parse("4889 00", .bits32) }
  }

  @Test("Reads no more than 15 bytes")
  func longest() throws {
    let fits = Array(repeating: UInt8(0x66), count: 13) + [0x8b, 0x00]
    #expect(try parse(fits, .bits64).length == 15)
    #expect(throws: DecodingFailure.tooLong) {
      try parse([0x66] + fits, .bits64, count: 16)
    }
    #expect(throws: DecodingFailure.tooLong) {
      try parse(Array(repeating: 0x66, count: 16), .bits64, count: 99)
    }
    #expect(throws: DecodingFailure.truncated) { try parse([], .bits64, count: -1) }
  }

  @Test("Gives an instruction, or nothing, where the reason does not matter")
  func decode() {
    var bytes: InlineArray<16, UInt8> = InlineArray(repeating: 0)
    bytes[0] = 0x8b
    #expect(InstructionDecoder.decode(bytes, count: 2, mode: .bits64)?.length == 2)
    #expect(InstructionDecoder.decode(bytes, count: 1, mode: .bits64) == nil)
  }

  @Test("Survives any bytes, and claims no more of them than there are")
  func anyBytes() {
    var random = SystemRandomNumberGenerator()
    var decoded = 0
    for _ in 0..<50_000 {
      let count = Int.random(in: 0...16, using: &random)
      let bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
      for mode in [CodeSize.bits16, .bits32, .bits64] {
        guard let instruction = try? parse(bytes, mode, count: count) else { continue }
        decoded += 1
        #expect(1...min(count, 15) ~= Int(instruction.length))
        #expect(instruction.prefixLength < instruction.length)
        #expect([1, 2, 4, 8].contains(instruction.size))
      }
    }
    #expect(decoded > 0)
  }
}
