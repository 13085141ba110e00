// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

@Suite("Addresses of memory operands")
struct InstructionMemoryTests {
  /// Register n holds n times 0x1_0000_1111.
  static func registers(_ number: UInt8) -> UInt64 { UInt64(number) * 0x1_0000_1111 }
  static func base(_ name: SegmentName) -> UInt64 { UInt64(name.rawValue + 1) << 32 | 0x10_0000 }

  @Test(
    "Are computed in the address's size, segment bases added in the linear one",
    arguments: [
      ("8b00", .bits64, 0, 0), ("8b4308", .bits64, 0x3_0000_333b, 0x3_0000_333b),
      ("8b448b10", .bits64, 0x7_0000_7787, 0x7_0000_7787),
      ("678b448b10", .bits64, 0x7787, 0x7787),
      ("428b44a3f8", .bits64, 0x33_0003_665b, 0x33_0003_665b),
      // From the next instruction, whose address the constant is a part of.
      ("8b0500010000", .bits64, 0x1106, 0x1106), ("c705f0ffffff78563412", .bits64, 0xffa, 0xffa),
      ("678b05f0efffff", .bits64, 0xffff_fff7, 0xffff_fff7),
      // FS and GS alone have a base in 64-bit code.
      ("648b042528000000", .bits64, 0x28, 0x5_0010_0028),
      ("658b4008", .bits64, 8, 0x6_0010_0008), ("368b4008", .bits64, 8, 8),
      ("8b042500f0e0fe", .bits64, 0xffff_ffff_fee0_f000, 0xffff_ffff_fee0_f000),
      ("a10000e0fe00000000", .bits64, 0xfee0_0000, 0xfee0_0000),
      // Elsewhere linear addresses have 32 bits.
      ("8b0500f0e0fe", .bits32, 0xfee0_f000, 0xfef0_f000), ("8b4508", .bits32, 0x555d, 0x10_555d),
      ("8b44b3f0", .bits32, 0x1_ccbb, 0x11_ccbb),
      // 16-bit offsets wrap.
      ("8b00", .bits16, 0x9999, 0x10_9999), ("8b42ff", .bits16, 0xbbba, 0x10_bbba),
      ("8b8700f0", .bits16, 0x2333, 0x10_2333), ("268b4701", .bits16, 0x3334, 0x10_3334),
      ("a10080", .bits16, 0x8000, 0x10_8000),
    ] as [(String, CodeSize, UInt64, UInt64)])
  func addresses(bytes: String, mode: CodeSize, offset: UInt64, linear: UInt64) throws {
    let instruction = try parse(bytes, mode)
    let memory = try #require(instruction.memory)
    #expect(
      instruction.offset(of: memory, instructionPointer: 0x1000, registers: Self.registers)
        == offset)
    #expect(
      instruction.linearAddress(
        of: memory, instructionPointer: 0x1000, registers: Self.registers, segmentBase: Self.base)
        == linear)
  }

  @Test("Belong to the stack where the base is rSP or rBP, and to ES where a string is written")
  func segments() throws {
    #expect(try parse("8b4508", .bits32).memory?.segment == .ss)
    #expect(try parse("8b0424", .bits32).memory?.segment == .ss)
    #expect(try parse("8b04ad00000000", .bits32).memory?.segment == .ds)
    #expect(try parse("418b4508", .bits64).memory?.segment == .ds)
    #expect(try parse("8b02", .bits16).memory?.segment == .ss)
    #expect(try parse("8b0600 00", .bits16).memory?.segment == .ds)
    let move = try parse("64a5", .bits32)
    #expect(move.destination == .memory(MemoryOperand(base: 7, segment: .es, addressSize: 4)))
    #expect(move.source == .memory(MemoryOperand(base: 6, segment: .fs, addressSize: 4)))
  }

  @Test(
    "Move on by whole operands where a register numbers the bit",
    arguments: [
      ("0fab08", 0, 0), ("0fab08", 31, 0), ("0fab08", 32, 4), ("0fab08", UInt64.max, -4),
      ("0fab08", 0x7fff_ffff, 0xfff_fffc), ("0fab08", 0xffff_ffff_8000_0000, -0x1000_0000),
      ("480fab08", 64, 8), ("480fab08", UInt64.max - 64, -16), ("480fab08", 1 << 40, 1 << 37),
      ("660fab08", 0x1_0010, 2), ("660fab08", 0xffff, -2), ("0fba28ff", 64, 0),
    ] as [(String, UInt64, Int64)])
  func bitStrings(bytes: String, number: UInt64, expected: Int64) throws {
    let instruction = try parse(bytes, .bits64)
    let memory = try #require(instruction.memory)
    let offset = instruction.offset(of: memory, instructionPointer: 0) {
      $0 == 1 ? number : 1 << 50
    }
    #expect(Int64(bitPattern: offset) - 1 << 50 == expected)
  }

  @Test("Say how many bytes are read or written")
  func sizes() throws {
    #expect(try parse("0fb600", .bits64).memorySize == 1)
    #expect(try parse("480fbf00", .bits64).memorySize == 2)
    #expect(try parse("486300", .bits64).memorySize == 4)
    #expect(try parse("488b00", .bits64).memorySize == 8)
    #expect(try parse("c60001", .bits64).memorySize == 1)
    #expect(try parse("0f0120", .bits64).memorySize == 2)
    #expect(try parse("6f", .bits64).memorySize == 4)
  }

  @Test("The next instruction lies in the code's own space")
  func next() throws {
    #expect(try parse("8b00", .bits64).next(after: 0xffff_ffff) == 0x1_0000_0001)
    #expect(try parse("8b00", .bits32).next(after: 0xffff_ffff) == 1)
  }
}
