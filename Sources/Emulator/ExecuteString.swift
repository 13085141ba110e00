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
      try element(context)
      guard isRepeated else { return }
      let counter = context.registers[1] &- 1
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

  private mutating func element(_ context: some EmulatorContext) throws(Stop) {
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
    case .inputString:
      let destination = try destination(context, isWrite: true)
      let value = try readDevice(context, DeviceAccess(.port, at: port(context), size: portSize))
      store(context, destination, value)
      step(context, destination: true)
    case .outputString:
      let value = try load(context, try source(context))
      writeDevice(
        context,
        DeviceAccess(.port, at: port(context), size: portSize, isWrite: true, value: value))
      step(context, source: true)
    default: throw .refused
    }
  }

  /// Ports are at most four bytes wide.
  private var portSize: UInt8 { mutating get { min(instruction.size, 4) } }
  private mutating func port(_ context: some EmulatorContext) -> UInt64 {
    context.registers[2] & 0xffff
  }

  private var elementSize: UInt8 {
    mutating get {
      switch instruction.operation {
      case .inputString, .outputString: portSize
      default: instruction.size
      }
    }
  }

  /// DS:rSI, or another segment's.
  private mutating func source(_ context: some EmulatorContext) throws(Stop) -> MemoryPlace {
    let offset = context.registers[6] & mask(instruction.addressSize)
    return try place(context, instruction.segment, offset, size: elementSize, isWrite: false)
  }

  /// ES:rDI, always.
  private mutating func destination(
    _ context: some EmulatorContext, isWrite: Bool
  ) throws(Stop) -> MemoryPlace {
    let offset = context.registers[7] & mask(instruction.addressSize)
    return try place(context, .es, offset, size: elementSize, isWrite: isWrite)
  }

  private mutating func compare(_ left: UInt64, _ right: UInt64) {
    flags = Arithmetic.compare.evaluate(left, right, size: instruction.size, flags: flags).flags
  }

  private mutating func step(
    _ context: some EmulatorContext, source: Bool = false, destination: Bool = false
  ) {
    let size = UInt64(elementSize)
    let distance = flags.contains(.direction) ? 0 &- size : size
    let width = instruction.addressSize
    if source { setRegister(context, 6, width, context.registers[6] &+ distance) }
    if destination { setRegister(context, 7, width, context.registers[7] &+ distance) }
  }
}
