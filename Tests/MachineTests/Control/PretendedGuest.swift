// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

@testable import Machine

/// A guest that only notes what is asked of it.
final class PretendedGuest: ControlledGuest {
  let consoleLog = ConsoleLog(capacity: 64)
  let hypervisor = Hypervisor.apus
  let virtualCPUCount = 2
  let uptime = Duration.seconds(5)
  let isConsoleFull = false
  private let state = Mutex<(asked: [String], typed: [UInt8])>(([], []))

  var asked: [String] { state.withLock { $0.asked } }

  /// Whether this is what is asked, at the latest in five seconds: requests without an answer take
  /// their time on a busy machine.
  func comesToBeAsked(_ expected: [String]) -> Bool {
    let deadline = ContinuousClock.now + .seconds(5)
    while asked.count < expected.count && ContinuousClock.now < deadline { usleep(1000) }
    return asked == expected
  }
  var typed: [UInt8] { state.withLock { $0.typed } }

  private func note(_ text: String) { state.withLock { $0.asked.append(text) } }

  func virtualCPUStatus() -> [GuestStatus.VirtualCPU] {
    (0..<2).map { id in
      .init(
        id: id, cpu: id + 2, exits: .sample(("cpuid", 3), ("io-client", UInt64(id))),
        interrupts: .init(isDirect: true, reason: "r"),
        timer: .init(isDirect: false, reason: "t"), apic: .x2APIC)
    }
  }

  func pressPowerButton() -> Bool {
    note("button")
    return false
  }

  func endRun() { note("end") }

  func sendNMI(virtualCPU: Int) -> String? {
    note("nmi \(virtualCPU)")
    return nil
  }

  func setTimer(_ timer: TimerChoice) -> String? {
    note("timer \(timer)")
    return timer == .preemption ? "no such timer" : nil
  }

  /// What the next look at the trace finds, once.
  let traced = Mutex<[TraceBatch]>([])

  func beginTrace() -> String? {
    note("trace")
    return nil
  }

  func endTrace() { note("no trace") }

  func drainTrace() -> [TraceBatch] {
    traced.withLock { batches in
      defer { batches = [] }
      return batches
    }
  }

  func receive(_ input: ArraySlice<UInt8>) { state.withLock { $0.typed += input } }
}
