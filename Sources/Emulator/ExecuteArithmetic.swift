// SPDX-License-Identifier: Apache-2.0
import X86

/// Operations of the arithmetic unit on rm.
extension Emulator {
  mutating func arithmetic(_ context: some EmulatorContext) throws(Stop) {
    guard let operation = Arithmetic(rawValue: instruction.operation.rawValue) else {
      throw .refused
    }
    let size = instruction.size
    let other = otherOperand(context)
    if instruction.form == .regRM {
      let result = operation.evaluate(
        other, try readRM(context, size: size), size: size, flags: flags)
      flags = result.flags
      if operation.storesResult { setRegister(context, instruction.reg, size, result.value) }
    } else if operation.storesResult {
      try changeRM(context) { emulator, value in
        emulator.take(
          operation.evaluate(value, other, size: size, flags: emulator.flags))
      }
    } else {
      let value = try readRM(context, size: size)
      flags = operation.evaluate(value, other, size: size, flags: flags).flags
    }
  }

  private mutating func take(_ result: ArithmeticResult) -> UInt64 {
    flags = result.flags
    return result.value
  }

  mutating func shift(_ context: some EmulatorContext) throws(Stop) {
    let number = instruction.operation.rawValue &- Operation.rotateLeft.rawValue
    guard let shift = Shift(rawValue: number) else { throw .refused }
    let count = otherOperand(context)
    try changeRM(context) { emulator, value in
      emulator.take(
        shift.evaluate(
          value, count: count, size: emulator.instruction.size, flags: emulator.flags))
    }
  }

  mutating func shiftDouble(_ context: some EmulatorContext) throws(Stop) {
    let size = instruction.size
    let source = register(context, instruction.reg, size)
    let count =
      instruction.form == .rmRegCL
      ? context.registers[1] : UInt64(bitPattern: instruction.constant)
    let isLeft = instruction.operation == .shiftLeftDouble
    try changeRM(context) { emulator, value in
      emulator.take(
        isLeft
          ? DoubleShift.left(value, source, count: count, size: size, flags: emulator.flags)
          : DoubleShift.right(value, source, count: count, size: size, flags: emulator.flags))
    }
  }

  /// With a register as bit number the bit may lie beyond the operand that rm names. SDM vol. 2,
  /// table 3-2.
  mutating func bit(_ context: some EmulatorContext) throws(Stop) {
    let number = instruction.operation.rawValue &- Operation.bitTest.rawValue
    guard let operation = BitOperation(rawValue: number) else { throw .refused }
    let size = instruction.size
    let bit = otherOperand(context)
    guard instruction.isMemory else {
      let value = register(context, instruction.rm, size)
      let result = operation.evaluate(value, bit: bit, size: size, flags: flags)
      flags = result.flags
      if operation.storesResult { setRegister(context, instruction.rm, size, result.value) }
      return
    }
    var offset = offset(context)
    if instruction.form == .rmReg {
      let units = signed(bit, size) >> Int64((size &* 8).trailingZeroBitCount)
      offset = offset &+ UInt64(bitPattern: units &* Int64(size))
      offset &= mask(instruction.addressSize)
    }
    let place = try place(
      context, instruction.segment, offset, size: size, isWrite: operation.storesResult)
    let value = try load(context, place)
    let result = operation.evaluate(value, bit: bit, size: size, flags: flags)
    flags = result.flags
    if operation.storesResult { store(context, place, result.value) }
  }

  mutating func countBits(_ context: some EmulatorContext) throws(Stop) {
    let size = instruction.size
    let value = try readRM(context, size: size)
    let isCount = instruction.repetition == .whileEqual
    let result: BitCount =
      switch instruction.operation {
      case .populationCount: .population(value, flags)
      case .bitScanForward:
        isCount && context.hasTrailingZeroCount
          ? .trailingZeros(value, size, flags) : .scanForward(value, flags)
      default:
        isCount && context.hasLeadingZeroCount
          ? .leadingZeros(value, size, flags) : .scanReverse(value, flags)
      }
    flags = result.flags
    if let value = result.value { setRegister(context, instruction.reg, size, value) }
  }
}
