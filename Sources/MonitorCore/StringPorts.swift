// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// INS and OUTS: as many elements at a time as lie in one page.
extension VirtualCPU {
  func handleStringPort(_ access: PortAccess) -> Outcome {
    guard let transfer = stringTransfer(access) else { return failEmulation() }
    let (instruction, count) = transfer
    guard count > 0 else {
      step(over: instruction)
      return .resume
    }
    if access.size == 1, localPort(access.port) != nil {
      self.count(APUS_EXIT_IO)
      return serveString(access, instruction, count)
    }
    if !access.isInput {
      for element in 0..<count {
        guard let value = readLinear(elementAddress(element, instruction), size: access.size)
        else { return .resume }
        store(value, element, access.size)
      }
      stepString(instruction, by: count)
    }
    askClient(access, count: count)
    if access.isInput { state.pendingPort = access }
    return .client
  }

  /// Takes over what the client read. The instruction and its registers are as they were.
  func finishStringInput(_ access: PortAccess) {
    guard let (instruction, count) = stringTransfer(access) else { return }
    for element in 0..<count {
      let value = load(element, access.size)
      guard writeLinear(elementAddress(element, instruction), value, size: access.size) else {
        return
      }
    }
    stepString(instruction, by: count)
  }

  /// One element of a port of the monitor's; a repeated instruction comes back for the next.
  private func serveString(
    _ access: PortAccess, _ instruction: Instruction, _ count: UInt64
  ) -> Outcome {
    let address = elementAddress(0, instruction)
    if access.isInput {
      guard writeLinear(address, UInt64(readPort(access.port)), size: 1) else { return .resume }
    } else {
      guard let value = readLinear(address, size: 1) else { return .resume }
      writePort(access.port, UInt8(truncatingIfNeeded: value))
    }
    stepString(instruction, by: 1)
    return .resume
  }

  /// The instruction, and how many of its elements are next: those in one page, and one at a
  /// time where they are walked downwards or lie across two pages.
  private func stringTransfer(_ access: PortAccess) -> (Instruction, UInt64)? {
    guard let instruction = decodeInstruction(), instruction.isString, instruction.memory != nil,
      instruction.size == access.size
    else { return nil }
    let wanted = instruction.repetitions(rcx: state.registers.rcx)
    if unit.flags.contains(.direction) { return (instruction, min(wanted, 1)) }
    let room = 4096 - (elementAddress(0, instruction) & 0xfff)
    return (instruction, min(wanted, max(room / UInt64(access.size), 1)))
  }

  private func elementAddress(_ element: UInt64, _ instruction: Instruction) -> UInt64 {
    guard let operand = instruction.memory else { return 0 }
    let address = linearAddress(of: operand, instruction) &+ element &* UInt64(instruction.size)
    return isLongMode ? address : address & 0xffff_ffff
  }

  private func store(_ value: UInt64, _ element: UInt64, _ size: UInt8) {
    for byte in 0..<UInt64(size) {
      unsafe pages.portData.storeBytes(
        of: UInt8(truncatingIfNeeded: value >> (byte * 8)),
        toByteOffset: Int(element * UInt64(size) + byte), as: UInt8.self)
    }
  }

  private func load(_ element: UInt64, _ size: UInt8) -> UInt64 {
    var value: UInt64 = 0
    for byte in 0..<UInt64(size) {
      let part = unsafe pages.portData.load(
        fromByteOffset: Int(element * UInt64(size) + byte), as: UInt8.self)
      value |= UInt64(part) << (byte * 8)
    }
    return value
  }
}
