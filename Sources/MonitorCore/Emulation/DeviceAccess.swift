// SPDX-License-Identifier: Apache-2.0
import Contract
import Emulator
import X86

/// Guest-physical addresses without memory: devices of the monitor, or of the client.
extension VirtualCPU {
  func handleNestedFault(_ fault: NestedFault) -> Outcome {
    // Where a device of the monitor is there is no memory.
    let device = localDevice(at: fault.address)
    if device == nil, let outcome = handleMemoryFault(fault) { return outcome }
    guard !fault.isExecute, !fault.isTableWalk else {
      count(APUS_EXIT_MMIO)
      return failEmulation()
    }
    if let site = unsafe knownSite ?? decodeMove(),
      unsafe finish(site.pointee.move, device, fault.address)
    {
      return .resume
    }
    return emulate(faultAddress: fault.address)
  }

  /// Decodes the instruction at RIP as far as it may be such a move.
  @inline(never)
  private func decodeMove() -> UnsafeMutablePointer<InstructionSites.Site>? {
    guard isLongMode, let site = unsafe findSite() else { return nil }
    unsafe site.pointee.decodeMove()
    return unsafe site
  }

  /// Does the move at RIP to or from a device. False: it is none, or one for the client, or something
  /// about it is not usual. Nothing has happened then.
  @inline(__always)
  private func finish(_ move: DeviceMove, _ device: LocalDevice?, _ address: GuestPhysical) -> Bool
  {
    guard move.kind != .none, unit.flags.isDisjoint(with: [.trap, .resume]) else {
      return false
    }
    // The processor has translated and checked the address; this is it if its page's part is.
    var offset = UInt64(move.displacement)
    if move.base != DeviceMove.noRegister { offset &+= state.registers[move.base] }
    offset &= 0xfff
    guard address.offsetInPage == offset, offset &+ UInt64(move.size) <= 4096 else { return false }
    if move.kind == .load {
      guard let device else { return false }
      state.registers[move.register] = move.truncate(read(device, address))
    } else {
      let value = move.truncate(
        move.kind == .store
          ? state.registers[move.register] : UInt64(bitPattern: Int64(move.constant)))
      if let device {
        write(device, address, value)
      } else if !sendsOn(.memory, address.rawValue, value, size: move.size) {
        return false
      }
    }
    unit.completeInstruction(next: unit.exitInstructionPointer &+ UInt64(move.length))
    return true
  }

  /// Nil: there is no memory, or none that this access may have.
  @inline(never)
  private func handleMemoryFault(_ fault: NestedFault) -> Outcome? {
    if isMemory(fault) {
      // The slots are followed before the next entry.
      count(APUS_EXIT_NESTED_FAULT)
      return .resume
    }
    return machine.slots.hasPages ? handlePageFault(fault) : nil
  }

  /// Memory by now, or perhaps.
  @inline(__always)
  private func isMemory(_ fault: NestedFault) -> Bool {
    if slotsMoved { return true }
    guard let found = tables.translate(fault.address) else { return false }
    return found.isWritable || !fault.isWrite || logWrite(to: fault.address)
  }

  /// Executes the instruction at RIP for the guest.
  func emulate(faultAddress: GuestPhysical = Emulator.noAddress) -> Outcome {
    let mode = codeSize
    let bytes = fetchInstruction(mode)
    state.registers[4] = unit.stackPointer
    return settle(
      state.emulator.run(bytes, mode, faultAddress: faultAddress, on: EmulatedCPU(cpu: self)))
  }

  /// Goes on with an instruction after the client has answered.
  func resumeEmulator() -> Outcome {
    guard state.emulator.isWaiting else { return .resume }
    let request = state.emulator.request
    var answer: UInt64 = 0
    if request.space == .port {
      answer = unsafe pages.portData.load(as: UInt64.self)
    } else {
      answer = unsafe withUnsafeBytes(of: &run.mmio.data) {
        unsafe $0.loadUnaligned(as: UInt64.self)
      }
    }
    state.registers[4] = unit.stackPointer
    return settle(state.emulator.resume(answer: answer, on: EmulatedCPU(cpu: self)))
  }

  @inline(__always)
  private func settle(_ outcome: EmulatorOutcome) -> Outcome {
    if state.registers[4] != unit.stackPointer { unit.stackPointer = state.registers[4] }
    switch outcome {
    // Bytes that could be executed but not be fetched again: the guest changes its page tables.
    case .completed, .fetchAgain: return .resume
    case .fault(let fault):
      inject(fault)
      return .resume
    case .asksClient(let access):
      ask(access)
      return .client
    case .refused(let bytes):
      count(APUS_EXIT_MMIO)
      return failEmulation(bytes)
    }
  }

  func inject(_ fault: GuestFault) {
    if fault.vector == .pageFault { unit.cr2 = fault.address }
    inject(fault.vector, errorCode: fault.errorCode)
  }

  private func ask(_ access: DeviceAccess) {
    switch access.space {
    case .port:
      if access.isWrite, access.count == 1 {
        unsafe pages.portData.storeBytes(of: access.value, as: UInt64.self)
      }
      askClient(
        PortAccess(
          port: UInt16(truncatingIfNeeded: access.address), size: access.size,
          isInput: !access.isWrite), count: UInt64(access.count))
    case .memory:
      count(APUS_EXIT_MMIO_CLIENT)
      run.exit_reason = UInt32(KVM_EXIT_MMIO)
      run.mmio.phys_addr = access.address
      run.mmio.len = UInt32(access.size)
      run.mmio.is_write = access.isWrite ? 1 : 0
      unsafe withUnsafeMutableBytes(of: &run.mmio.data) {
        unsafe $0.storeBytes(of: access.value, as: UInt64.self)
      }
    }
  }

  /// An access that nobody can finish for the guest: KVM_INTERNAL_ERROR_EMULATION, with the bytes
  /// of the instruction where it was one.
  func failEmulation(_ bytes: InstructionBytes = InstructionBytes(count: 0)) -> Outcome {
    run.exit_reason = UInt32(KVM_EXIT_INTERNAL_ERROR)
    run.internal.suberror = UInt32(KVM_INTERNAL_ERROR_EMULATION)
    run.internal.ndata = 0
    guard bytes.count > 0 else { return .client }
    // The flags, and two words of the size and the bytes.
    run.emulation_failure.ndata = 3
    run.emulation_failure.flags = UInt64(KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)
    unsafe withUnsafeMutableBytes(of: &run.internal.data) { data in
      unsafe data.storeBytes(
        of: bytes.low << 8 | UInt64(bytes.count), toByteOffset: 8, as: UInt64.self)
      unsafe data.storeBytes(
        of: bytes.high << 8 | bytes.low >> 56, toByteOffset: 16, as: UInt64.self)
    }
    return .client
  }
}
