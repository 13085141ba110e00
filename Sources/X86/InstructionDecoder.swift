// SPDX-License-Identifier: Apache-2.0

/// Decodes what a monitor has to finish for a guest: accesses to devices' memory and ports,
/// and control registers. SDM vol. 2, chapter 2 and appendix A.
///
/// Everything else is refused, SSE, AVX and x87 among it: a guest uses them on memory, and
/// whoever lets it use them on a device would have to carry their registers.
public struct InstructionDecoder {
  var bytes: InstructionBytes
  let prefixes: InstructionPrefixes
  let prefixLength: UInt8

  /// Bytes of the longest instruction.
  public static var longest: Int { 15 }

  /// The instruction at the start of `bytes`, of which `count` are known. Nil if it is none of
  /// those that the decoder knows.
  public static func decode(
    _ bytes: InlineArray<16, UInt8>, count: Int, mode: CodeSize
  ) -> Instruction? {
    try? parse(bytes, count: count, mode: mode)
  }

  /// The same, with the reason.
  public static func parse(
    _ bytes: InlineArray<16, UInt8>, count: Int, mode: CodeSize
  ) throws(DecodingFailure) -> Instruction {
    var decoder = InstructionDecoder(InstructionBytes(bytes, count: count), mode: mode)
    let opcode = try decoder.bytes.next()
    let instruction =
      opcode == 0x0f ? try decoder.twoByteOpcode() : try decoder.oneByteOpcode(opcode)
    return try decoder.finish(instruction)
  }

  /// How many of an instruction's bytes are prefixes.
  public static func prefixLength(
    _ bytes: InlineArray<16, UInt8>, count: Int, mode: CodeSize
  ) -> UInt64 {
    UInt64(InstructionDecoder(InstructionBytes(bytes, count: count), mode: mode).prefixLength)
  }

  private init(_ bytes: InstructionBytes, mode: CodeSize) {
    var bytes = bytes
    prefixes = InstructionPrefixes(&bytes, mode: mode)
    prefixLength = UInt8(bytes.position)
    self.bytes = bytes
  }

  /// An instruction whose length and prefixes `finish` fills in.
  func make(
    _ operation: Instruction.Operation, _ destination: Operand = .none,
    _ source: Operand = .none, size: UInt8, sourceSize: UInt8? = nil
  ) -> Instruction {
    Instruction(
      operation: operation, destination: destination, source: source, size: size,
      sourceSize: sourceSize ?? size, mode: prefixes.mode, addressSize: prefixes.addressSize,
      prefixLength: prefixLength, length: 0)
  }

  private func finish(_ unfinished: Instruction) throws(DecodingFailure) -> Instruction {
    var instruction = unfinished
    instruction.length = UInt8(bytes.position)
    instruction.isRepeated = instruction.isString && prefixes.repetition != .none
    instruction.isLocked = prefixes.isLocked
    if instruction.isLocked, !instruction.allowsLock { throw .unsupported }
    return instruction
  }
}

extension Instruction {
  /// LOCK before anything else is an invalid opcode. SDM vol. 2, LOCK.
  var allowsLock: Bool {
    guard case .memory = destination else { return false }
    return switch operation {
    case .arithmetic(let operation): operation.storesResult
    case .bit(let operation): operation.storesResult
    case .exchange, .compareExchange, .exchangeAdd: true
    default: false
    }
  }
}
