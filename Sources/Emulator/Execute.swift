// SPDX-License-Identifier: Apache-2.0
import X86

/// What each operation does. Reads come first, then what can fault, then writes, then registers.
extension Emulator {
  mutating func execute(_ context: some EmulatorContext) throws(Stop) {
    if instruction.operation == .move { return try move(context) }
    try executeOthers(context)
  }

  private mutating func executeOthers(_ context: some EmulatorContext) throws(Stop) {
    switch instruction.operation {
    case .add, .or, .addCarry, .subtractBorrow, .and, .subtract, .exclusiveOr, .compare, .test,
      .increment, .decrement, .not, .negate:
      try arithmetic(context)
    case .rotateLeft, .rotateRight, .rotateCarryLeft, .rotateCarryRight, .shiftLeft, .shiftRight,
      .shiftLeftAgain, .shiftArithmeticRight:
      try shift(context)
    case .shiftLeftDouble, .shiftRightDouble: try shiftDouble(context)
    case .bitTest, .bitSet, .bitReset, .bitComplement: try bit(context)
    case .bitScanForward, .bitScanReverse, .populationCount: try countBits(context)
    case .multiply, .multiplySigned: try multiply(context)
    case .divide, .divideSigned: try divide(context)
    case .multiplyInto: try multiplyInto(context)
    case .move: try move(context)
    case .moveZeroExtended, .moveSignExtended: try moveExtended(context)
    case .moveSwapped: try moveSwapped(context)
    case .loadAddress: setRegister(context, instruction.reg, instruction.size, offset(context))
    case .exchange, .exchangeAdd: try exchange(context)
    case .compareExchange: try compareExchange(context)
    case .compareExchangePair: try compareExchangePair(context)
    case .setCondition:
      try writeRM(context, size: 1, flags.satisfy(condition: instruction.opcode) ? 1 : 0)
    case .moveCondition: try moveCondition(context)
    case .translate: try translateByte(context)
    case .push, .pushSegment, .pushFlags: try push(context)
    case .pop: try pop(context)
    case .call, .jump, .callRelative, .returnNear: try branch(context)
    case .leave: try leave(context)
    case .moveString, .compareString, .scanString, .storeString, .loadString, .inputString,
      .outputString:
      try string(context)
    case .moveFromSegment, .storeLocalTable, .storeTask, .storeStatusWord:
      try storeSystemWord(context)
    case .moveToSegment, .popSegment, .loadLocalTable, .loadTask: try loadSelector(context)
    case .loadStatusWord: try loadStatusWord(context)
    case .vectorLoad, .vectorStore, .vectorLoadLow, .vectorLoadHigh, .vectorStoreHigh:
      try moveVector(context)
    case .nothing: break
    case .group1, .group1a, .group2, .group3, .group4, .group5, .group6, .group7, .group8,
      .group9, .group11, .group15, .group16, .unknown:
      throw .refused
    }
  }

  /// rm, a register or memory.
  @inline(never)
  mutating func readRM(_ context: some EmulatorContext, size: UInt8) throws(Stop) -> UInt64 {
    guard instruction.isMemory else { return register(context, instruction.rm, size) }
    return try load(context, try place(context, size: size, isWrite: false))
  }

  @inline(never)
  mutating func writeRM(
    _ context: some EmulatorContext, size: UInt8, _ value: UInt64
  ) throws(Stop) {
    guard instruction.isMemory else {
      return setRegister(context, instruction.rm, size, value)
    }
    store(context, try place(context, size: size, isWrite: true), value)
  }

  /// The operand that is not rm: a register or a constant.
  @inline(never)
  mutating func otherOperand(_ context: some EmulatorContext) -> UInt64 {
    switch instruction.form {
    case .rmReg, .regRM, .rmRegByte, .rmRegCL, .accumulatorOffset, .offsetAccumulator:
      register(context, instruction.reg, instruction.size)
    case .rmCL: context.registers[1] & 0xff
    case .rmOne: 1
    default: UInt64(bitPattern: instruction.constant) & mask(instruction.size)
    }
  }

  /// Changes rm to what `change` makes of it. The place may be written before anything is read.
  @inline(never)
  mutating func changeRM(
    _ context: some EmulatorContext, _ change: (inout Self, UInt64) -> UInt64
  ) throws(Stop) {
    let size = instruction.size
    guard instruction.isMemory else {
      let value = change(&self, register(context, instruction.rm, size))
      return setRegister(context, instruction.rm, size, value)
    }
    let place = try place(context, size: size, isWrite: true)
    let value = try load(context, place)
    store(context, place, change(&self, value))
  }
}
