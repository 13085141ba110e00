// SPDX-License-Identifier: Apache-2.0

/// Moves between vector registers and memory, whose last prefix of 66, F3 and F2 is a part of the
/// opcode. SDM vol. 2, table A-3.
extension OpcodeRow {
  static func vector(_ opcode: UInt8, _ prefix: MandatoryPrefix, isWide: Bool) -> OpcodeRow {
    switch (opcode, prefix) {
    // MOVUPS, MOVUPD, MOVSS and MOVSD.
    case (0x10, .none), (0x10, .operandSize): load(16)
    case (0x10, .repeat): load(4)
    case (0x10, .repeatNotEqual): load(8)
    case (0x11, .none), (0x11, .operandSize): store(16)
    case (0x11, .repeat): store(4)
    case (0x11, .repeatNotEqual): store(8)
    // MOVLPS, MOVLPD, MOVHPS and MOVHPD.
    case (0x12, .none), (0x12, .operandSize): OpcodeRow(.vectorLoadLow, .regRM, .memory, size: 8)
    case (0x13, .none), (0x13, .operandSize): store(8)
    case (0x16, .none), (0x16, .operandSize): OpcodeRow(.vectorLoadHigh, .regRM, .memory, size: 8)
    case (0x17, .none), (0x17, .operandSize): OpcodeRow(.vectorStoreHigh, .rmReg, .memory, size: 8)
    // MOVAPS, MOVAPD, MOVNTPS and MOVNTPD.
    case (0x28, .none), (0x28, .operandSize): load(16, .aligned)
    case (0x29, .none), (0x29, .operandSize): store(16, .aligned)
    case (0x2b, .none), (0x2b, .operandSize): store(16, .aligned)
    // MOVD and MOVQ.
    case (0x6e, .operandSize): load(isWide ? 8 : 4)
    case (0x7e, .operandSize): store(isWide ? 8 : 4)
    case (0x7e, .repeat): load(8)
    case (0xd6, .operandSize): store(8)
    // MOVDQA, MOVDQU, MOVNTDQ and LDDQU.
    case (0x6f, .operandSize): load(16, .aligned)
    case (0x6f, .repeat): load(16)
    case (0x7f, .operandSize): store(16, .aligned)
    case (0x7f, .repeat): store(16)
    case (0xe7, .operandSize): store(16, .aligned)
    case (0xf0, .repeatNotEqual): load(16)
    default: .unknown
    }
  }

  private static func load(_ size: UInt8, _ traits: Traits = []) -> OpcodeRow {
    OpcodeRow(.vectorLoad, .regRM, traits.union(.memory), size: size)
  }

  private static func store(_ size: UInt8, _ traits: Traits = []) -> OpcodeRow {
    OpcodeRow(.vectorStore, .rmReg, traits.union(.memory), size: size)
  }
}

/// The prefix that is a part of a vector opcode. SDM vol. 2, 2.1.2.
enum MandatoryPrefix: UInt8 { case none, operandSize, `repeat`, repeatNotEqual }
