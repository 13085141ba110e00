// SPDX-License-Identifier: Apache-2.0
import X86

/// The moves that drivers make: MOV between a register or a constant and a device's register, in
/// 64-bit code, without prefixes but REX. They are most of all that is ever emulated, and this is the
/// same as what the tables and `execute` say of them, with nothing looked at that cannot matter.
extension Emulator {
  /// Nil: not such a move, or something about it is not usual. Nothing has happened then.
  @inline(__always)
  mutating func plainMove(_ context: some EmulatorContext) -> EmulatorOutcome? {
    guard faultAddress != Self.noAddress, mode == .bits64 else { return nil }
    let flags = context.flags
    guard flags.isDisjoint(with: [.trap, .resume]), decodePlainMove() else { return nil }
    next = context.instructionPointer &+ UInt64(instruction.length)
    // The processor has translated and checked the address; this is it if its page's part is.
    let size = instruction.size
    let offset = offset(context) & 0xfff
    guard faultAddress & 0xfff == offset, offset &+ UInt64(size) <= 4096 else { return nil }
    if instruction.form == .regRM {
      guard let value = context.readDevice(DeviceAccess(.memory, at: faultAddress, size: size))
      else { return nil }
      setRegister(context, instruction.reg, size, value)
    } else {
      let value =
        instruction.form == .rmReg
        ? register(context, instruction.reg, size)
        : UInt64(bitPattern: instruction.constant) & mask(size)
      let write = DeviceAccess(
        .memory, at: faultAddress, size: size, isWrite: true, value: value)
      guard context.writeDevice(write) else { return nil }
    }
    context.complete([], next: next)
    return .completed([])
  }

  /// Only what `plainMove` uses of the instruction is set. False: none of those moves.
  @inline(__always)
  private mutating func decodePlainMove() -> Bool {
    var reader = ByteReader(bytes)
    var rex: UInt8 = 0
    var opcode = reader.next()
    if opcode & 0xf0 == 0x40 {
      rex = opcode
      opcode = reader.next()
    }
    let wide: UInt8 = rex & 8 != 0 ? 8 : 4
    switch opcode {
    case 0x88, 0x89: instruction.form = .rmReg
    case 0x8a, 0x8b: instruction.form = .regRM
    case 0xc6, 0xc7: instruction.form = .rmConstant
    default: return false
    }
    let size = opcode & 1 == 0 ? 1 : wide
    let modRM = reader.next()
    if modRM >> 6 == 3 { return false }
    if instruction.form == .rmConstant, modRM & 0x38 != 0 { return false }
    instruction.size = size
    instruction.hasREX = rex != 0
    instruction.reg = modRM >> 3 & 7 | (rex & 4) << 1
    instruction.mode = .bits64
    instruction.addressSize = 8
    instruction.base = DecodedInstruction.noRegister
    instruction.index = DecodedInstruction.noRegister
    instruction.isRelative = false
    instruction.readLongAddress(modRM, rex: rex, &reader)
    if instruction.form == .rmConstant { instruction.constant = reader.number(min(size, 4)) }
    instruction.length = reader.position
    return instruction.length <= bytes.count
  }
}
