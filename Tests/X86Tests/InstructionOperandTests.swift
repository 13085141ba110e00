// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

@Suite("Values of operands")
struct InstructionOperandTests {
  static let whole: UInt64 = 0x1122_3344_5566_7788

  @Test("A register is read in the operand's size")
  func reading() {
    #expect(RegisterOperand(0).value(in: Self.whole, size: 1) == 0x88)
    #expect(RegisterOperand(0, isHighByte: true).value(in: Self.whole, size: 1) == 0x77)
    #expect(RegisterOperand(0).value(in: Self.whole, size: 2) == 0x7788)
    #expect(RegisterOperand(0).value(in: Self.whole, size: 4) == 0x5566_7788)
    #expect(RegisterOperand(0).value(in: Self.whole, size: 8) == Self.whole)
  }

  @Test("A write of 4 bytes clears the rest of a register, smaller ones leave it")
  func writing() {
    let value: UInt64 = 0xaaaa_bbbb_cccc_dddd
    func merged(_ size: UInt8) -> UInt64 {
      RegisterOperand(0).merge(value, into: Self.whole, size: size)
    }
    #expect(merged(1) == 0x1122_3344_5566_77dd)
    #expect(merged(2) == 0x1122_3344_5566_dddd)
    #expect(merged(4) == 0xcccc_dddd)
    #expect(merged(8) == value)
    #expect(
      RegisterOperand(3, isHighByte: true).merge(value, into: Self.whole, size: 1)
        == 0x1122_3344_5566_dd88)
  }

  @Test("A source is extended as the instruction says")
  func extended() throws {
    #expect(try parse("0fb600", .bits64).extended(0xfff0) == 0xf0)
    #expect(try parse("0fbe00", .bits64).extended(0xf0) == 0xffff_fff0)
    #expect(try parse("660fbe00", .bits64).extended(0xf0) == 0xfff0)
    #expect(try parse("480fbe00", .bits64).extended(0xf0) == 0xffff_ffff_ffff_fff0)
    #expect(try parse("480fbe00", .bits64).extended(0x70) == 0x70)
    #expect(try parse("480fbf00", .bits64).extended(0x8000) == 0xffff_ffff_ffff_8000)
    #expect(try parse("486300", .bits64).extended(0x8000_0000) == 0xffff_ffff_8000_0000)
    #expect(try parse("8b00", .bits64).extended(.max) == 0xffff_ffff)
  }

  @Test("Constants are sign-extended from what the instruction holds")
  func constants() throws {
    #expect(try parse("48c700ffffff7f", .bits64).source == .immediate(0x7fff_ffff))
    #expect(try parse("48c70000000080", .bits64).source == .immediate(0xffff_ffff_8000_0000))
    #expect(try parse("66830880", .bits64).source == .immediate(0xffff_ffff_ffff_ff80))
    #expect(try parse("c600ff", .bits64).source == .immediate(.max))
  }
}
