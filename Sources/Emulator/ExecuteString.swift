// SPDX-License-Identifier: Apache-2.0
import X86

/// String instructions, one element after another. SDM vol. 1, 7.3.9; vol. 2, REP.
extension Emulator {
  /// The guest gets its interrupts after so many elements.
  private static var longestRun: Int { 256 }

  mutating func string(_ context: some EmulatorContext) throws(Stop) {
    let counterMask = mask(instruction.addressSize)
    let isRepeated = instruction.repetition != .none
    if isRepeated, context.registers[1] & counterMask == 0 { return }
    for _ in 0..<Self.longestRun {
      let count = try elements(context)
      guard isRepeated else { return }
      let counter = context.registers[1] &- count
      setRegister(context, 1, instruction.addressSize, counter)
      if counter & counterMask == 0 || endsEarly { return }
      // This element is done, also if the next one faults or has to wait. An instruction breakpoint
      // does not stop it again.
      flags.insert(.resume)
      storeFlags(context)
      reads.removeAll()
      faultAddress = Self.noAddress
      if !writes.isEmpty || completion.contains(.singleStep) { break }
    }
    completion.insert(.repeats)
  }

  /// REPE and REPNE of CMPS and SCAS.
  private var endsEarly: Bool {
    mutating get {
      switch instruction.operation {
      case .compareString, .scanString:
        (instruction.repetition == .whileEqual) != flags.contains(.zero)
      default: false
      }
    }
  }

  /// Does the next element, or several of INS and OUTS. How many were done.
  private mutating func elements(_ context: some EmulatorContext) throws(Stop) -> UInt64 {
    let size = instruction.size
    switch instruction.operation {
    case .moveString:
      let source = try source(context)
      let destination = try destination(context, isWrite: true)
      store(context, destination, try load(context, source))
      step(context, source: true, destination: true)
    case .compareString:
      let source = try source(context)
      let destination = try destination(context, isWrite: false)
      let left = try load(context, source)
      compare(left, try load(context, destination))
      step(context, source: true, destination: true)
    case .scanString:
      let destination = try destination(context, isWrite: false)
      let value = try load(context, destination)
      compare(register(context, 0, size), value)
      step(context, destination: true)
    case .storeString:
      let destination = try destination(context, isWrite: true)
      store(context, destination, register(context, 0, size))
      step(context, destination: true)
    case .loadString:
      let source = try source(context)
      setRegister(context, 0, size, try load(context, source))
      step(context, source: true)
    case .inputString: return try input(context)
    case .outputString: return try output(context)
    default: throw .refused
    }
    return 1
  }

  /// DS:rSI, or another segment's.
  mutating func source(
    _ context: some EmulatorContext, size: UInt8? = nil
  ) throws(Stop) -> MemoryPlace {
    let offset = context.registers[6] & mask(instruction.addressSize)
    return try place(
      context, instruction.segment, offset, size: size ?? instruction.size, isWrite: false)
  }

  /// ES:rDI, always.
  mutating func destination(
    _ context: some EmulatorContext, size: UInt8? = nil, isWrite: Bool
  ) throws(Stop) -> MemoryPlace {
    let offset = context.registers[7] & mask(instruction.addressSize)
    return try place(context, .es, offset, size: size ?? instruction.size, isWrite: isWrite)
  }

  private mutating func compare(_ left: UInt64, _ right: UInt64) {
    flags = Arithmetic.compare.evaluate(left, right, size: instruction.size, flags: flags).flags
  }

  private mutating func step(
    _ context: some EmulatorContext, source: Bool = false, destination: Bool = false
  ) {
    let size = UInt64(instruction.size)
    let distance = flags.contains(.direction) ? 0 &- size : size
    let width = instruction.addressSize
    if source { setRegister(context, 6, width, context.registers[6] &+ distance) }
    if destination { setRegister(context, 7, width, context.registers[7] &+ distance) }
  }
}
