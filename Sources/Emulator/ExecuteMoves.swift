// SPDX-License-Identifier: Apache-2.0
import X86

/// Moves between general registers and memory.
extension Emulator {
  mutating func move(_ context: some EmulatorContext) throws(Stop) {
    let size = instruction.size
    switch instruction.form {
    case .regRM, .accumulatorOffset:
      setRegister(context, instruction.reg, size, try readRM(context, size: size))
    default: try writeRM(context, size: size, otherOperand(context))
    }
  }

  mutating func moveExtended(_ context: some EmulatorContext) throws(Stop) {
    var value = try readRM(context, size: instruction.sourceSize)
    if instruction.operation == .moveSignExtended {
      value = UInt64(bitPattern: signed(value, instruction.sourceSize))
    }
    setRegister(context, instruction.reg, instruction.size, value)
  }

  mutating func moveSwapped(_ context: some EmulatorContext) throws(Stop) {
    let size = instruction.size
    let unused = 64 - UInt64(size) * 8
    if instruction.form == .regRM {
      let value = try readRM(context, size: size)
      setRegister(context, instruction.reg, size, value.byteSwapped >> unused)
    } else {
      try writeRM(context, size: size, otherOperand(context).byteSwapped >> unused)
    }
  }

  /// The source is read in either case.
  mutating func moveCondition(_ context: some EmulatorContext) throws(Stop) {
    let size = instruction.size
    let source = try readRM(context, size: size)
    let isMet = flags.satisfy(condition: instruction.opcode)
    // Four bytes clear the rest of the register even where nothing is moved.
    let value = isMet ? source : register(context, instruction.reg, size)
    setRegister(context, instruction.reg, size, value)
  }

  /// XLAT: AL is the byte at its own offset from rBX.
  mutating func translateByte(_ context: some EmulatorContext) throws(Stop) {
    let offset = context.registers[3] &+ context.registers[0] & 0xff
    let place = try place(
      context, instruction.segment, offset & mask(instruction.addressSize), size: 1,
      isWrite: false)
    let value = try load(context, place)
    context.registers[0] = context.registers[0] & ~0xff | value
  }

  mutating func moveVector(_ context: some EmulatorContext) throws(Stop) {
    let size = instruction.size
    let number = instruction.reg
    switch instruction.operation {
    case .vectorStore, .vectorStoreHigh:
      let place = try place(context, size: size, isWrite: true)
      var value = context.vector(number)
      if instruction.operation == .vectorStoreHigh { value.low = value.high }
      storeWide(context, place, value)
    default:
      let place = try place(context, size: size, isWrite: false)
      let loaded = try loadWide(context, place)
      var value = context.vector(number)
      switch instruction.operation {
      case .vectorLoadLow: value.low = loaded.low
      case .vectorLoadHigh: value.high = loaded.low
      default: value = loaded
      }
      context.setVector(number, value)
    }
  }
}

extension RFLAGS {
  /// The condition in the low four bits of an opcode. SDM vol. 1, appendix B.
  func satisfy(condition: UInt8) -> Bool {
    let isLess = contains(.sign) != contains(.overflow)
    let isMet =
      switch condition >> 1 & 7 {
      case 0: contains(.overflow)
      case 1: contains(.carry)
      case 2: contains(.zero)
      case 3: contains(.carry) || contains(.zero)
      case 4: contains(.sign)
      case 5: contains(.parity)
      case 6: isLess
      default: isLess || contains(.zero)
      }
    return isMet != (condition & 1 == 1)
  }
}
