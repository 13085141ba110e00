// SPDX-License-Identifier: Apache-2.0

/// General registers as operands of 1, 2, 4 or 8 bytes.
extension Emulator {
  @inline(never)
  mutating func register(_ context: some EmulatorContext, _ number: UInt8, _ size: UInt8) -> UInt64
  {
    if isHighByte(number, size) { return context.registers[number &- 4] &>> 8 & 0xff }
    return context.registers[number] & mask(size)
  }

  /// Four bytes clear the rest of the register, one and two leave it. SDM vol. 1, 3.4.1.1.
  @inline(never)
  mutating func setRegister(
    _ context: some EmulatorContext, _ number: UInt8, _ size: UInt8, _ value: UInt64
  ) {
    if isHighByte(number, size) {
      let whole = context.registers[number &- 4]
      context.registers[number &- 4] = whole & ~0xff00 | (value & 0xff) << 8
      return
    }
    let mask = mask(size)
    let kept = size >= 4 ? 0 : context.registers[number] & ~mask
    context.registers[number] = kept | value & mask
  }

  /// AH, CH, DH or BH.
  @inline(__always) private mutating func isHighByte(_ number: UInt8, _ size: UInt8) -> Bool {
    size == 1 && !instruction.hasREX && number >= 4
  }
}
