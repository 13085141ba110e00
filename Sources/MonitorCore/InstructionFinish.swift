// SPDX-License-Identifier: Apache-2.0
import X86

/// Finishes an instruction whose access to a device the processor left undone.
extension VirtualCPU {
  /// `read` is what the device at the guest-physical `address` was read as, nil for an
  /// instruction that only writes it.
  func finish(_ instruction: Instruction, at address: UInt64, read: UInt64?) -> Outcome {
    let size = instruction.size
    let deviceValue = read ?? 0
    switch instruction.operation {
    case .move: return finishMove(instruction, address, deviceValue)
    case .arithmetic(let operation):
      let (left, right) = operands(instruction, deviceValue)
      let result = operation.evaluate(left, right, size: size, flags: unit.flags)
      step(over: instruction, flags: result.flags)
      guard operation.storesResult else { return .resume }
      return store(result.value, instruction, address)
    case .bit(let operation):
      let result = operation.evaluate(
        deviceValue, bit: value(of: instruction.source, size: size), size: size,
        flags: unit.flags)
      step(over: instruction, flags: result.flags)
      guard operation.storesResult else { return .resume }
      return store(result.value, instruction, address)
    case .exchange: return finishExchange(instruction, address, deviceValue)
    case .compareExchange:
      let result = CompareExchangeResult(
        destination: deviceValue, source: value(of: instruction.source, size: size),
        accumulator: state.registers.rax, size: size, flags: unit.flags)
      if let accumulator = result.accumulator { setRegister(RegisterOperand(0), accumulator, size) }
      step(over: instruction, flags: result.flags)
      return writeDevice(address, result.destination, size: size)
    case .exchangeAdd:
      let right = value(of: instruction.source, size: size)
      let result = Arithmetic.add.evaluate(deviceValue, right, size: size, flags: unit.flags)
      setOperand(instruction.source, deviceValue, size)
      step(over: instruction, flags: result.flags)
      return writeDevice(address, result.value, size: size)
    case .push: return finishPush(instruction, deviceValue)
    case .moveString, .storeString, .loadString:
      return finishString(instruction, address, read)
    default: return failEmulation()
    }
  }

  private func finishMove(
    _ instruction: Instruction, _ address: UInt64, _ deviceValue: UInt64
  ) -> Outcome {
    if case .memory = instruction.destination {
      let value = value(of: instruction.source, size: instruction.size)
      step(over: instruction)
      return writeDevice(address, value, size: instruction.size)
    }
    setOperand(instruction.destination, instruction.extended(deviceValue), instruction.size)
    step(over: instruction)
    return .resume
  }

  /// XCHG names its operands in either order.
  private func finishExchange(
    _ instruction: Instruction, _ address: UInt64, _ deviceValue: UInt64
  ) -> Outcome {
    let other =
      if case .memory = instruction.destination { instruction.source } else {
        instruction.destination
      }
    let value = value(of: other, size: instruction.size)
    setOperand(other, deviceValue, instruction.size)
    step(over: instruction)
    return writeDevice(address, value, size: instruction.size)
  }

  private func finishPush(_ instruction: Instruction, _ deviceValue: UInt64) -> Outcome {
    let size = UInt64(instruction.size)
    let top = unit.stackPointer &- size
    let linear = isLongMode ? top : (unit[.ss].base &+ top) & 0xffff_ffff
    guard writeLinear(linear, deviceValue, size: instruction.size) else { return .resume }
    unit.stackPointer = top
    step(over: instruction)
    return .resume
  }

  /// One element; a repeated instruction comes back for the next.
  private func finishString(
    _ instruction: Instruction, _ address: UInt64, _ read: UInt64?
  ) -> Outcome {
    let size = instruction.size
    var outcome = Outcome.resume
    switch instruction.operation {
    case .storeString:
      outcome = writeDevice(address, state.registers.rax & Instruction.mask(size), size: size)
    case .loadString: setRegister(RegisterOperand(0), read ?? 0, size)
    default:
      guard case .memory(let source) = instruction.source,
        case .memory(let destination) = instruction.destination
      else { return failEmulation() }
      if let fault = moveElement(
        instruction, from: source, to: destination, device: address, read, &outcome)
      {
        return fault
      }
    }
    stepString(instruction, by: 1)
    return outcome
  }

  /// MOVS between a device and memory, or between two devices. Nil: done.
  private func moveElement(
    _ instruction: Instruction, from source: MemoryOperand, to destination: MemoryOperand,
    device address: UInt64, _ read: UInt64?, _ outcome: inout Outcome
  ) -> Outcome? {
    let size = instruction.size
    let target = linearAddress(of: destination, instruction)
    let isUser = unit.privilegeLevel == 3
    guard let physical = translateOrInject(target, Access(isWrite: true, isUser: isUser)) else {
      return .resume
    }
    guard let read else {
      // The fault was a write: the device is the target.
      guard let value = readLinear(linearAddress(of: source, instruction), size: size) else {
        return .resume
      }
      outcome = writeDevice(address, value, size: size)
      return nil
    }
    if tables.translate(physical)?.isWritable ?? false {
      guard writeLinear(target, read, size: size) else { return .resume }
    } else {
      outcome = writeDevice(physical, read, size: size)
    }
    return nil
  }

  private func store(
    _ value: UInt64, _ instruction: Instruction, _ address: UInt64
  ) -> Outcome {
    if case .memory = instruction.destination {
      return writeDevice(address, value, size: instruction.size)
    }
    setOperand(instruction.destination, value, instruction.size)
    return .resume
  }

  private func operands(
    _ instruction: Instruction, _ deviceValue: UInt64
  ) -> (UInt64, UInt64) {
    if case .memory = instruction.destination {
      return (deviceValue, value(of: instruction.source, size: instruction.size))
    }
    return (
      value(of: instruction.destination, size: instruction.size),
      instruction.extended(deviceValue)
    )
  }
}
