// SPDX-License-Identifier: Apache-2.0
import X86

/// Instructions that use the stack. SDM vol. 1, 6.2.
extension Emulator {
  /// Bytes of a stack address: what SS.B says, or 8 in 64-bit code.
  private mutating func stackAddressSize(_ context: some EmulatorContext) -> UInt8 {
    if instruction.mode == .bits64 { return 8 }
    return context[.ss].attributes.isDefaultBig ? 4 : 2
  }

  /// rSP after a step, where only the bytes of a stack address change.
  private mutating func stackPointer(_ context: some EmulatorContext, by distance: Int64) -> UInt64
  {
    let old = context.registers[4]
    let mask = mask(stackAddressSize(context))
    return old & ~mask | (old &+ UInt64(bitPattern: distance)) & mask
  }

  /// Puts a value on the stack, as the last thing that can fault.
  private mutating func pushValue(_ context: some EmulatorContext, _ value: UInt64) throws(Stop) {
    let size = instruction.size
    let top = stackPointer(context, by: -Int64(size))
    let place = try place(
      context, .ss, top & mask(stackAddressSize(context)), size: size, isWrite: true)
    store(context, place, value)
    context.registers[4] = top
  }

  /// The value at the top of the stack; rSP stays.
  mutating func topValue(_ context: some EmulatorContext) throws(Stop) -> UInt64 {
    let offset = context.registers[4] & mask(stackAddressSize(context))
    return try load(
      context, try place(context, .ss, offset, size: instruction.size, isWrite: false))
  }

  mutating func dropTop(_ context: some EmulatorContext, and more: Int64 = 0) {
    context.registers[4] = stackPointer(context, by: Int64(instruction.size) + more)
  }

  mutating func push(_ context: some EmulatorContext) throws(Stop) {
    switch instruction.operation {
    case .pushFlags:
      // VME and the IOPL of virtual-8086 mode are not known here.
      if flags.contains(.virtual8086) { throw .refused }
      try pushValue(context, flags.subtracting([.resume, .virtual8086]).rawValue)
    case .pushSegment: try pushValue(context, UInt64(context[pushedSegment].selector))
    default:
      switch instruction.form {
      case .rm: try pushValue(context, try readRM(context, size: instruction.size))
      case .opcodeRegister:
        try pushValue(context, register(context, instruction.rm, instruction.size))
      default: try pushValue(context, UInt64(bitPattern: instruction.constant))
      }
    }
  }

  /// The segment that PUSH or POP names in its opcode.
  var pushedSegment: SegmentName {
    mutating get {
      switch instruction.opcode {
      case 0xa0, 0xa1: .fs
      case 0xa8, 0xa9: .gs
      default: SegmentName(rawValue: Int(instruction.opcode >> 3 & 3)) ?? .ds
      }
    }
  }

  /// The address of the destination is computed with rSP after the step.
  mutating func pop(_ context: some EmulatorContext) throws(Stop) {
    let size = instruction.size
    let value = try topValue(context)
    guard instruction.isMemory else {
      dropTop(context)
      setRegister(context, instruction.rm, size, value)
      return
    }
    if instruction.base == 4 { instruction.displacement += Int64(size) }
    let place = try place(context, size: size, isWrite: true)
    store(context, place, value)
    dropTop(context)
  }

  mutating func leave(_ context: some EmulatorContext) throws(Stop) {
    let frame = context.registers[5]
    let mask = mask(stackAddressSize(context))
    let place = try place(context, .ss, frame & mask, size: instruction.size, isWrite: false)
    let value = try load(context, place)
    context.registers[4] = context.registers[4] & ~mask | frame & mask
    dropTop(context)
    setRegister(context, 5, instruction.size, value)
  }

  /// Near calls, jumps and returns.
  mutating func branch(_ context: some EmulatorContext) throws(Stop) {
    let size = instruction.size
    let back = next
    var target: UInt64
    switch instruction.operation {
    case .callRelative: target = next &+ UInt64(bitPattern: instruction.constant) & mask(size)
    case .returnNear: target = try topValue(context)
    default: target = try readRM(context, size: size)
    }
    target &= mask(size)
    try checkBranch(context, target)
    switch instruction.operation {
    case .call, .callRelative: try pushValue(context, back)
    case .returnNear: dropTop(context, and: instruction.constant & 0xffff)
    default: break
    }
    next = target
  }

  private mutating func checkBranch(
    _ context: some EmulatorContext, _ target: UInt64
  ) throws(Stop) {
    let isAllowed =
      instruction.mode == .bits64
      ? isCanonical(target, context.linearAddressBits) : target <= UInt64(context[.cs].limit)
    if !isAllowed { throw raise(.generalProtection) }
  }
}
