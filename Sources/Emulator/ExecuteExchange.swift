// SPDX-License-Identifier: Apache-2.0
import X86

/// Exchanges of a register and rm.
extension Emulator {
  mutating func exchange(_ context: some EmulatorContext) throws(Stop) {
    let size = instruction.size
    let isAddition = instruction.operation == .exchangeAdd
    let source = register(context, instruction.reg, size)
    guard instruction.isMemory else {
      let value = register(context, instruction.rm, size)
      setRegister(context, instruction.reg, size, value)
      setRegister(context, instruction.rm, size, isAddition ? added(value, source) : source)
      return
    }
    let place = try place(context, size: size, isWrite: true)
    let value = try load(context, place)
    store(context, place, isAddition ? added(value, source) : source)
    setRegister(context, instruction.reg, size, value)
  }

  private mutating func added(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let result = Arithmetic.add.evaluate(left, right, size: instruction.size, flags: flags)
    flags = result.flags
    return result.value
  }

  /// The destination is written in either case.
  mutating func compareExchange(_ context: some EmulatorContext) throws(Stop) {
    let size = instruction.size
    let source = register(context, instruction.reg, size)
    let accumulator = register(context, 0, size)
    var found: UInt64?
    try changeRM(context) { emulator, value in
      let comparison = Arithmetic.compare.evaluate(
        accumulator, value, size: size, flags: emulator.flags)
      emulator.flags = comparison.flags
      if comparison.value == 0 { return source }
      found = value
      return value
    }
    if let found { setRegister(context, 0, size, found) }
  }

  /// CMPXCHG8B, and CMPXCHG16B with REX.W.
  mutating func compareExchangePair(_ context: some EmulatorContext) throws(Stop) {
    let half: UInt8 = instruction.size == 8 ? 8 : 4
    let bits = UInt64(half) * 8
    instruction.isAligned = half == 8
    let place = try place(context, size: half * 2, isWrite: true)
    let found = try loadWide(context, place)
    let low = found.low & mask(half)
    let high = half == 8 ? found.high : found.low >> bits
    let registers = context.registers
    let isEqual = low == registers[0] & mask(half) && high == registers[2] & mask(half)
    flags.remove(.zero)
    guard isEqual else {
      storeWide(context, place, found)
      setRegister(context, 0, half, low)
      setRegister(context, 2, half, high)
      return
    }
    flags.insert(.zero)
    let newLow = registers[3] & mask(half)
    let newHigh = registers[1] & mask(half)
    storeWide(
      context, place,
      half == 8 ? Wide(low: newLow, high: newHigh) : Wide(low: newLow | newHigh << bits))
  }
}
