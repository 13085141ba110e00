// SPDX-License-Identifier: Apache-2.0
import X86

/// Registers, memory and flags of the instruction that is being finished.
extension VirtualCPU {
  func value(of operand: Operand, size: UInt8) -> UInt64 {
    switch operand {
    case .register(let register):
      register.value(in: self[register: register.number], size: size)
    case .immediate(let value): value & Instruction.mask(size)
    default: 0
    }
  }

  func setOperand(_ operand: Operand, _ value: UInt64, _ size: UInt8) {
    if case .register(let register) = operand { setRegister(register, value, size) }
  }

  func setRegister(_ register: RegisterOperand, _ value: UInt64, _ size: UInt8) {
    self[register: register.number] = register.merge(
      value, into: self[register: register.number], size: size)
  }

  func linearAddress(of operand: MemoryOperand, _ instruction: Instruction) -> UInt64 {
    instruction.linearAddress(
      of: operand, instructionPointer: unit.instructionPointer,
      registers: { self[register: $0] }, segmentBase: { unit[$0].base })
  }

  func step(over instruction: Instruction, flags: RFLAGS? = nil) {
    if let flags { unit.flags = flags }
    unit.completeInstruction(next: instruction.next(after: unit.instructionPointer))
  }

  /// Counts and steps the registers of a string instruction, and goes on when it is done.
  func stepString(_ instruction: Instruction, by count: UInt64) {
    let flags = unit.flags
    if case .memory = instruction.source {
      state.registers.rsi = instruction.stepped(state.registers.rsi, by: count, flags: flags)
    }
    if case .memory = instruction.destination {
      state.registers.rdi = instruction.stepped(state.registers.rdi, by: count, flags: flags)
    }
    state.registers.rcx = instruction.counted(rcx: state.registers.rcx, by: count)
    if !instruction.isRepeated || instruction.repetitions(rcx: state.registers.rcx) == 0 {
      step(over: instruction)
    }
  }

  /// The guest-physical address behind a linear one; nil: a fault was injected instead.
  func translateOrInject(_ linear: UInt64, _ access: Access) -> UInt64? {
    guard pagingMode.isCanonical(linear) else {
      inject(.generalProtection)
      return nil
    }
    do {
      return try translate(linear, access)
    } catch {
      unit.cr2 = linear
      inject(.pageFault, errorCode: error.errorCode)
      return nil
    }
  }

  /// Guest memory at a linear address; nil: a fault was injected instead. Bytes without memory
  /// read as ones. An operand may cross a page.
  func readLinear(_ linear: UInt64, size: UInt8) -> UInt64? {
    let access = Access(isUser: unit.privilegeLevel == 3)
    var value: UInt64 = 0
    for byte in 0..<UInt64(size) {
      guard let physical = translateOrInject(linear &+ byte, access) else { return nil }
      value |= (memory.read(physical, size: 1) ?? 0xff) << (byte * 8)
    }
    return value
  }

  /// False: a fault was injected and nothing written.
  func writeLinear(_ linear: UInt64, _ value: UInt64, size: UInt8) -> Bool {
    let access = Access(isWrite: true, isUser: unit.privilegeLevel == 3)
    guard let last = translateOrInject(linear &+ UInt64(size) &- 1, access),
      let first = translateOrInject(linear, access)
    else { return false }
    for byte in 0..<UInt64(size) {
      let crosses = (linear &+ byte) >> 12 != linear >> 12
      let physical = crosses ? last &- (UInt64(size) &- 1 &- byte) : first &+ byte
      _ = memory.write(physical, value >> (byte * 8) & 0xff, size: 1)
    }
    return true
  }
}
