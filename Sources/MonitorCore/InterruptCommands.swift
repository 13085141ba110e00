// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// The guest's interrupt commands: vectors become real interrupts on the VM's own CPUs, the
/// rest is emulated or refused (DESIGN 4.6).
extension VirtualCPU {
  /// False: a command that must not be sent; #GP.
  func send(_ command: InterruptCommand) -> Bool {
    switch command.mode {
    case .fixed, .lowestPriority:
      guard command.vector >= 16 else { return true }
      forTargets(of: command, one: command.mode == .lowestPriority) { target in
        processor.send(InterruptCommand(vector: command.vector, destination: target.physical))
      }
    case .nonMaskable: request(.nonMaskableInterrupt, of: command)
    case .initialize:
      // The de-assert of old processors does nothing on those with an x2APIC.
      if command.isLevelTriggered, !command.isAssert { return true }
      request(.initialize, of: command)
    case .startUp:
      let vector = command.vector
      forTargets(of: command, one: false) { target in
        withMachine { $0.startUpVectors[target.id] = vector }
      }
      request(.startUp, of: command)
    case .systemManagement, .remoteRead, .external: return false
    }
    return true
  }

  private func request(_ request: VCPURequest, of command: InterruptCommand) {
    forTargets(of: command, one: false) { target in ask(target, request) }
  }

  /// Sets a request of another vCPU, or of this one, and makes its CPU look at it.
  func ask(_ target: Target, _ request: VCPURequest) {
    unsafe withUnsafeMutablePointer(to: &pages.machine.pointee.requests[target.id]) {
      _ = unsafe fetchOr($0, request.rawValue)
    }
    if target.id != id {
      processor.send(
        InterruptCommand(vector: 0, destination: target.physical, mode: .nonMaskable))
    }
  }

  struct Target {
    /// vCPU id.
    var id: Int
    /// Physical APIC ID of the CPU that it is bound to.
    var physical: UInt32
  }

  /// Calls `body` for every vCPU of this VM that the command addresses, and for none else.
  func forTargets(of command: InterruptCommand, one: Bool, _ body: (Target) -> Void) {
    let sender = state.apic.id
    for id in 0..<16 {
      guard let target = target(id) else { continue }
      let matches = withMachine { $0.apics[id]?.matches(command, from: sender) ?? false }
      guard matches else { continue }
      body(target)
      if one { return }
    }
  }

  func target(_ id: Int) -> Target? {
    let physical = unsafe withUnsafePointer(to: &pages.vm.pointee.apic_ids) {
      unsafe loadAcquire(UnsafeRawPointer($0).assumingMemoryBound(to: UInt32.self) + id)
    }
    return physical == APUS_NO_APIC_ID ? nil : Target(id: id, physical: physical)
  }
}
