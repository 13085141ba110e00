// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// A KVM_EXIT_MMIO read whose data comes with the next KVM_RUN.
public struct PendingMMIO: Sendable {
  var instruction: Instruction
  /// Guest-physical.
  var address: UInt64
}

/// Guest-physical addresses without memory: devices of the monitor, or of the client.
extension VirtualCPU {
  @inline(never)
  func handleNestedFault(_ fault: NestedFault) -> Outcome {
    let slots = unsafe loadAcquire(&pages.vm.pointee.slots_generation)
    let found = tables.translate(fault.address)
    if slots != control.slots_generation || found.map({ $0.isWritable || !fault.isWrite }) ?? false
    {
      // Memory by now: the slots are followed before the next entry.
      count(APUS_EXIT_NESTED_FAULT)
      return .resume
    }
    guard !fault.isExecute, !fault.isTableWalk, let instruction = decodeInstruction() else {
      count(APUS_EXIT_MMIO)
      return failEmulation()
    }
    return access(fault.address, by: instruction, isWrite: fault.isWrite)
  }

  /// Goes on with a device access: reads the device if the instruction does, and finishes it.
  private func access(_ address: UInt64, by instruction: Instruction, isWrite: Bool) -> Outcome {
    guard instruction.readsDevice(isWrite: isWrite) else {
      return finish(instruction, at: address, read: nil)
    }
    if let device = localDevice(at: address) {
      let value = read(device, address)
      return finish(instruction, at: address, read: value)
    }
    state.pendingMMIO = PendingMMIO(instruction: instruction, address: address)
    askClientMMIO(address, size: instruction.memorySize, writing: nil)
    return .client
  }

  /// Takes over what the client read. Outcome `client`: the instruction writes as well.
  @inline(never)
  func finishPendingMMIO() -> Outcome {
    guard let pending = state.pendingMMIO else { return .resume }
    state.pendingMMIO = nil
    let data = unsafe withUnsafeBytes(of: &run.mmio.data) {
      unsafe $0.loadUnaligned(as: UInt64.self)
    }
    return finish(
      pending.instruction, at: pending.address,
      read: data & Instruction.mask(pending.instruction.memorySize))
  }

  /// Writes to a device, as the last step of an instruction.
  func writeDevice(_ address: UInt64, _ value: UInt64, size: UInt8) -> Outcome {
    if let device = localDevice(at: address) {
      write(device, address, value)
      return .resume
    }
    if coalesce(.memory, address, value, size: size) { return .resume }
    askClientMMIO(address, size: size, writing: value)
    return .client
  }

  private func askClientMMIO(_ address: UInt64, size: UInt8, writing value: UInt64?) {
    count(APUS_EXIT_MMIO_CLIENT)
    run.exit_reason = UInt32(KVM_EXIT_MMIO)
    run.mmio.phys_addr = address
    run.mmio.len = UInt32(size)
    run.mmio.is_write = value == nil ? 0 : 1
    unsafe withUnsafeMutableBytes(of: &run.mmio.data) {
      unsafe $0.storeBytes(of: value ?? 0, as: UInt64.self)
    }
  }

  func decodeInstruction() -> Instruction? {
    let (bytes, count) = fetchInstruction()
    return InstructionDecoder.decode(bytes, count: count, mode: codeSize)
  }

  /// Bytes of prefixes of the current instruction.
  func prefixLength() -> UInt64 {
    let (bytes, count) = fetchInstruction()
    return InstructionDecoder.prefixLength(bytes, count: count, mode: codeSize)
  }

  /// An access that nobody can finish for the guest: KVM_INTERNAL_ERROR_EMULATION.
  func failEmulation() -> Outcome {
    run.exit_reason = UInt32(KVM_EXIT_INTERNAL_ERROR)
    run.internal.suberror = UInt32(KVM_INTERNAL_ERROR_EMULATION)
    run.internal.ndata = 0
    return .client
  }
}

extension Instruction {
  /// Whether the device is read before the instruction can go on. Of MOVS, which reads and
  /// writes, the fault says which of the two the device is.
  func readsDevice(isWrite: Bool) -> Bool {
    switch operation {
    case .moveString: return !isWrite
    case .move, .storeString, .input, .storeMachineStatusWord:
      if case .memory = destination { return false }
      return true
    default: return true
    }
  }
}
