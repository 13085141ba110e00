// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

@Suite("String instructions")
struct InstructionStringTests {
  @Test("Are those with an implied index register")
  func kinds() throws {
    for bytes in ["a4", "a5", "aa", "ab", "ac", "ad", "6c", "6d", "6e", "6f"] {
      #expect(try parse(bytes, .bits64).isString)
    }
    for bytes in ["ec", "ee", "e480", "8b00", "ff30"] {
      #expect(try !parse(bytes, .bits64).isString)
    }
  }

  @Test("Step by their size, down where DF is set")
  func steps() throws {
    let word = try parse("f366a5", .bits64)
    #expect(word.stepped(0x1000, flags: []) == 0x1002)
    #expect(word.stepped(0x1000, by: 8, flags: .direction) == 0xff0)
    #expect(word.stepped(0, flags: .direction) == UInt64.max - 1)
  }

  @Test("Leave the upper part of registers that are wider than the address")
  func widths() throws {
    let short = try parse("f3a4", .bits16)
    #expect(short.stepped(0x1234_ffff, flags: []) == 0x1234_0000)
    #expect(short.repetitions(rcx: 0x7_0003) == 3)
    #expect(short.counted(rcx: 0x7_0003) == 0x7_0002)
    let middle = try parse("67f3a4", .bits64)
    #expect(middle.stepped(0xff_ffff_ffff, flags: []) == 0)
    #expect(middle.repetitions(rcx: 0x7_0000_0003) == 3)
    #expect(middle.counted(rcx: 0x7_0000_0003, by: 3) == 0)
  }

  @Test("Are done once, and leave rCX, where they are not repeated")
  func once() throws {
    let plain = try parse("a4", .bits64)
    #expect(plain.repetitions(rcx: 0) == 1)
    #expect(plain.counted(rcx: 7) == 7)
  }
}
