// SPDX-License-Identifier: Apache-2.0
import Contract
import Glibc
import KVM
import Synchronization

/// A vCPU with the thread that runs it.
final class VirtualCPUThread: Sendable {
  let virtualCPU: VirtualCPU
  private let host: any VirtualCPUHost
  private let bus: Buses
  private let control: RunControl
  /// nil: no write waits.
  private let ring: CoalescedRing?
  private let writes: WaitingWrites
  private let trace = Mutex<TraceRing?>(nil)

  init(
    _ virtualCPU: consuming VirtualCPU, on host: any VirtualCPUHost, bus: Buses,
    control: RunControl, ringOffset: Int?, writes: WaitingWrites
  ) {
    ring = ringOffset.flatMap { virtualCPU.coalescedRing(at: $0) }
    self.writes = writes
    self.virtualCPU = virtualCPU
    self.host = host
    self.bus = bus
    self.control = control
  }

  /// Exits so far; from any thread.
  func exits() -> ExitCounts { host.exits(of: virtualCPU) }

  /// What there is to say while it runs; from any thread.
  func status() -> GuestStatus.VirtualCPU { host.status(of: virtualCPU) }

  /// What there is to say after the run.
  func result() -> VirtualCPUResult { host.result(of: virtualCPU) }

  /// The thread's whole life.
  func run() {
    if let reason = host.begin() {
      control.finish(.hostFailed(reason))
      return
    }
    defer { host.end() }
    while control.outcome == nil {
      let exit: ClientExit
      do {
        // What the guest wrote before the exit comes before it, and nothing stays at the end.
        defer { deliverWaitingWrites() }
        try host.prepareToRun(virtualCPU)
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
  func sendNMI() throws(KVMError) { try host.sendNMI(to: virtualCPU) }

  /// From any thread.
  func setTimer(_ timer: TimerChoice) throws(KVMError) {
    try host.setTimer(of: virtualCPU, timer)
  }

  /// From any thread.
  func beginTrace() throws(KVMError) {
    let isOpen = trace.withLock { ring in
      // What an earlier reader has left is not the next one's. After this: the first events come at once.
      ring?.skip()
      return ring != nil
    }
    try virtualCPU.setTrace(true)
    guard !isOpen else { return }
    let ring = try virtualCPU.openTrace()
    trace.withLock { $0 = ring }
  }

  /// From any thread.
  func endTrace() { try? virtualCPU.setTrace(false) }

  /// Events since the last time; from any thread.
  func drainTrace() -> TraceBatch? {
    let id = Int(virtualCPU.id)
    return trace.withLock { ring in
      guard let ring else { return nil }
      let (events, lost) = ring.drain()
      return TraceBatch(
        virtualCPU: id, lost: lost, frequency: ring.frequency, events: events.map(TraceEvent.init))
    }
  }

  /// From any thread.
  func deliverWaitingWrites() {
    if let ring { writes.deliver(from: ring) }
  }

  private func handle(_ exit: ClientExit) throws(GuestFailure) {
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

  private func serve(_ access: PortRequest) {
    for item in 0..<access.count {
      let bytes = UnsafeMutableRawBufferPointer(
        rebasing: access.data[(item * access.size)..<((item + 1) * access.size)])
      serve(bytes, at: UInt64(access.port), isWrite: access.isWrite, on: bus.ports)
    }
  }

  private func serve(_ access: MemoryRequest) {
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
