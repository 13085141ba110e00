// SPDX-License-Identifier: Apache-2.0
import X86

/// MUL, IMUL, DIV and IDIV.
extension Emulator {
  /// rDX:rAX, or AX of bytes.
  mutating func multiply(_ context: some EmulatorContext) throws(Stop) {
    let size = instruction.size
    let value = try readRM(context, size: size)
    let product = Product(
      register(context, 0, size), value, size: size,
      isSigned: instruction.operation == .multiplySigned)
    setPair(context, product.low, product.high)
    setOverflow(product.overflows)
  }

  mutating func multiplyInto(_ context: some EmulatorContext) throws(Stop) {
    let size = instruction.size
    let value = try readRM(context, size: size)
    let other =
      instruction.form == .regRM
      ? register(context, instruction.reg, size)
      : UInt64(bitPattern: instruction.constant) & mask(size)
    let product = Product(value, other, size: size, isSigned: true)
    setRegister(context, instruction.reg, size, product.low)
    setOverflow(product.overflows)
  }

  mutating func divide(_ context: some EmulatorContext) throws(Stop) {
    let size = instruction.size
    let divisor = try readRM(context, size: size)
    let low = register(context, 0, size)
    let high = size == 1 ? context.registers[0] >> 8 & 0xff : register(context, 2, size)
    let quotient =
      instruction.operation == .divide
      ? Quotient(high: high, low: low, divisor: divisor, size: size)
      : Quotient(signedHigh: high, low: low, divisor: divisor, size: size)
    guard let quotient else { throw raise(GuestFault(.divideError)) }
    setPair(context, quotient.value, quotient.remainder)
  }

  private mutating func setPair(_ context: some EmulatorContext, _ low: UInt64, _ high: UInt64) {
    let size = instruction.size
    if size == 1 {
      setRegister(context, 0, 2, low & 0xff | high << 8)
    } else {
      setRegister(context, 0, size, low)
      setRegister(context, 2, size, high)
    }
  }

  private mutating func setOverflow(_ overflows: Bool) {
    flags.subtract([.carry, .overflow])
    if overflows { flags.formUnion([.carry, .overflow]) }
  }
}
