// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// The guest's interrupt commands: vectors become real interrupts on the VM's own CPUs, the
/// rest is emulated or refused.
extension VirtualCPU {
  /// False: a command that must not be sent; #GP.
  func send(_ command: InterruptCommand) -> Bool {
    switch command.mode {
    case .fixed, .lowestPriority:
      guard command.vector >= 16 else {
        note(APICError.sentIllegalVector)
        return true
      }
      if sendDirectly(command) { return true }
      forTargets(of: command, one: command.mode == .lowestPriority) { target in
        send(command.vector, to: target)
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

  /// Sends a fixed interrupt to the one vCPU that a command addresses by its APIC ID, which is the
  /// vCPU's number and never changes: no lock is needed to find it. False: any other command.
  @inline(__always)
  func sendDirectly(_ command: InterruptCommand) -> Bool {
    guard command.isFixedPhysical, command.vector >= 16,
      command.destination < min(vm.vcpu_count, APUS_VCPUS)
    else { return false }
    send(command.vector, to: target(Int(command.destination)))
    return true
  }

  private func request(_ request: VCPURequest, of command: InterruptCommand) {
    forTargets(of: command, one: false) { target in ask(target, request) }
  }

  /// A vCPU that is on no CPU has no APIC that could keep the vector.
  @inline(__always)
  func send(_ vector: UInt8, to target: Target) {
    guard let physical = target.physical else { return }
    processor.send(InterruptCommand(vector: vector, destination: physical))
  }

  /// Sets a request of another vCPU, or of this one, and makes its CPU look at it: this one's too,
  /// which may have taken its requests already. One that is on no CPU yet finds it when it first
  /// runs. docs/model names the steps.
  func ask(_ target: Target, _ request: VCPURequest) {
    // An INIT takes a start-up that was not served yet with it.
    if request == .initialize { unsafe change(target.id) { _ = unsafe fetchAnd($0, ~startUp) } }
    // R1: set bit. A full barrier; only then it is looked up which CPU has to be told.
    unsafe change(target.id) {
      let old = unsafe fetchOr($0, request.rawValue)
      if request == .nonMaskableInterrupt, old & request.rawValue != 0 {
        _ = unsafe fetchOr($0, VCPURequest.secondNMI.rawValue)
      }
    }
    // R2: send NMI.
    if let physical = self.target(target.id).physical {
      processor.send(InterruptCommand(vector: 0, destination: physical, mode: .nonMaskable))
    }
  }

  private var startUp: UInt32 { VCPURequest.startUp.rawValue }

  private func change(_ id: Int, _ body: (UnsafeMutablePointer<UInt32>) -> Void) {
    unsafe withUnsafeMutablePointer(to: &pages.machine.pointee.requests[id]) { unsafe body($0) }
  }

  struct Target {
    /// vCPU id.
    var id: Int
    /// Physical APIC ID of the CPU that it is bound to, if it is.
    var physical: UInt32?
  }

  /// Calls `body` for every vCPU of this VM that the command addresses, and for none else.
  func forTargets(of command: InterruptCommand, one: Bool, _ body: (Target) -> Void) {
    let sender = state.apic.id
    let count = vm.vcpu_count
    var targets = withMachine { $0.targets(of: command, from: sender, count: count) }
    while targets != 0 {
      let target = target(targets.trailingZeroBitCount)
      targets &= targets - 1
      // Lowest priority: the first that can take it.
      if one, target.physical == nil { continue }
      body(target)
      if one { return }
    }
  }

  @inline(__always)
  func target(_ id: Int) -> Target {
    let physical = unsafe withUnsafePointer(to: &pages.vm.pointee.apic_ids) {
      unsafe loadAcquire(UnsafeRawPointer($0).assumingMemoryBound(to: UInt32.self) + id)
    }
    return Target(id: id, physical: physical == APUS_NO_APIC_ID ? nil : physical)
  }
}
