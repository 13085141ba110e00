// SPDX-License-Identifier: Apache-2.0
import Contract
import Glibc
import KVM

/// A vCPU with the thread that runs it.
final class Processor: Sendable {
  let virtualCPU: VirtualCPU
  let isApus: Bool
  private let counters: Counters?
  private let bus: Buses
  private let control: RunControl
  /// The host's CPU to stay on; nil where the vCPU has a lent one.
  let pinnedCPU: Int?
  /// nil: no write waits.
  private let ring: CoalescedRing?
  private let writes: WaitingWrites
  private let requestedNMI = RequestedNMI()

  init(
    _ virtualCPU: consuming VirtualCPU, bus: Buses, control: RunControl, isApus: Bool,
    pinnedCPU: Int?, ringOffset: Int?, writes: WaitingWrites
  ) {
    ring = ringOffset.flatMap { virtualCPU.coalescedRing(at: $0) }
    self.writes = writes
    self.isApus = isApus
    // Kernels before 5.14 have no counters: then there are none in the report.
    counters = isApus ? nil : try? virtualCPU.openCounters()
    self.virtualCPU = virtualCPU
    self.bus = bus
    self.control = control
    self.pinnedCPU = pinnedCPU
  }

  /// Exits so far.
  func exits() -> ExitCounts {
    do {
      if isApus { return ExitCounts(try virtualCPU.statistics()) }
      guard let values = try counters?.values() else { return .none }
      return ExitCounts(kvm: values)
    } catch {
      return .none
    }
  }

  /// What there is to say after the run.
  func result() -> VirtualCPUResult {
    let id = Int(virtualCPU.id)
    if isApus {
      guard let statistics = try? virtualCPU.statistics() else {
        return VirtualCPUResult(lostOnApus: id)
      }
      return VirtualCPUResult(id: id, apus: statistics)
    }
    let base = (try? virtualCPU.specialRegisters().apic_base) ?? 0
    return VirtualCPUResult(id: id, kvm: exits(), pinnedTo: pinnedCPU, apicBase: base)
  }

  /// The thread's whole life.
  func run() {
    if let pinnedCPU, !Thread.stay(onCPU: pinnedCPU) {
      control.finish(.hostFailed("this process may not run on CPU \(pinnedCPU)"))
      return
    }
    requestedNMI.begin()
    defer { requestedNMI.end() }
    while control.outcome == nil {
      let exit: Exit
      do {
        // What the guest wrote before the exit comes before it, and nothing stays at the end.
        defer { deliverWaitingWrites() }
        try requestedNMI.deliver(to: virtualCPU)
        exit = try virtualCPU.runGuest()
      } catch {
        control.finish(.hostFailed("\(error); the kernel's log (dmesg) may say why"))
        return
      }
      do {
        try handle(exit)
      } catch {
        control.finish(.guestFailed(error))
      }
    }
  }

  /// From any thread.
  func sendNMI() throws(KVMError) {
    // KVM makes other threads wait until the vCPU's own comes out of the guest.
    if isApus { try virtualCPU.injectNMI() } else { requestedNMI.request(of: virtualCPU) }
  }

  /// From any thread.
  func deliverWaitingWrites() {
    if let ring { writes.deliver(from: ring) }
  }

  private func handle(_ exit: Exit) throws(GuestFailure) {
    switch exit {
    case .interrupted: break
    case .port(let access): serve(access)
    case .memory(let access): serve(access)
    case .halted: throw failure("it halted with nothing that could wake it")
    case .shutdown: throw failure("triple fault: an exception while handling a double fault")
    case .entryRefused(let reason):
      throw failure("the processor refused its state (hardware reason \(hexadecimal(reason)))")
    case .internalError(let suberror, let data):
      let details = data.map(hexadecimal).joined(separator: " ")
      throw failure("the hypervisor could not go on (internal error \(suberror): \(details))")
    case .systemEvent(type: UInt32(KVM_SYSTEM_EVENT_SHUTDOWN)): control.finish(.poweredOff)
    case .systemEvent(type: UInt32(KVM_SYSTEM_EVENT_RESET)): control.finish(.reset)
    case .systemEvent(let type): throw failure("it crashed (system event \(type))")
    case .other(let reason): throw failure("an exit that nothing handles (reason \(reason))")
    }
  }

  private func serve(_ access: PortAccess) {
    for item in 0..<access.count {
      let bytes = UnsafeMutableRawBufferPointer(
        rebasing: access.data[(item * access.size)..<((item + 1) * access.size)])
      serve(bytes, at: UInt64(access.port), isWrite: access.isWrite, on: bus.ports)
    }
  }

  private func serve(_ access: MemoryAccess) {
    serve(access.data, at: access.address, isWrite: access.isWrite, on: bus.memory)
  }

  private func serve(
    _ bytes: UnsafeMutableRawBufferPointer, at address: UInt64, isWrite: Bool, on bus: DeviceBus
  ) {
    if isWrite {
      let value = bytes.reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      bus.write(address, value, size: bytes.count)
    } else {
      let value = bus.read(address, size: bytes.count)
      for index in bytes.indices {
        bytes[index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))
      }
    }
  }

  private func failure(_ reason: String) -> GuestFailure {
    GuestFailure(
      virtualCPU: virtualCPU.id, reason: reason, registers: RegisterDump.of(virtualCPU),
      lastExits: ((try? virtualCPU.lastExits()) ?? []).map {
        .init(code: $0.code, instructionPointer: $0.rip, information: $0.information)
      })
  }
}
