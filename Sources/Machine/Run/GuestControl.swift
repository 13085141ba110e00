// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What can be done to a guest from outside while it runs.
extension GuestMachine: ControlledGuest {
  /// Runs the guest to its end, reachable by the server until then.
  public func run(reachableBy server: ControlServer?) -> RunResult {
    server?.attach(self)
    defer { server?.detach() }
    return run()
  }

  var consoleLog: ConsoleLog { devices.consoleLog }

  var virtualCPUCount: Int { virtualCPUs.count }

  var uptime: Duration { devices.clock.elapsed }

  func virtualCPUStatus() -> [GuestStatus.VirtualCPU] { virtualCPUs.map { $0.status() } }

  func pressPowerButton() -> Bool { devices.power.pressPowerButton() }

  func endRun() { control.finish(.signal(SIGTERM)) }

  func sendNMI(virtualCPU: Int) -> String? {
    do {
      try virtualCPUs[virtualCPU].sendNMI()
      return nil
    } catch {
      return "\(error)"
    }
  }

  func setTimer(_ timer: TimerChoice) -> String? {
    do {
      for virtualCPU in virtualCPUs { try virtualCPU.setTimer(timer) }
      return nil
    } catch {
      return timer == .preemption && error.errno == .notSupportedOnSocket
        ? "\(SetupError.timerUnavailable(timer))" : "\(error)"
    }
  }

  func beginTrace() -> String? {
    guard hypervisor == .apus else {
      return "KVM has a trace of its own: trace-cmd record -e kvm"
    }
    do {
      for thread in virtualCPUs { try thread.beginTrace() }
      return nil
    } catch {
      return "\(error)"
    }
  }

  func endTrace() { for thread in virtualCPUs { thread.endTrace() } }

  func drainTrace() -> [TraceBatch] { virtualCPUs.compactMap { $0.drainTrace() } }

  func receive(_ input: ArraySlice<UInt8>) { devices.console.receive(input) }

  var isConsoleFull: Bool { devices.console.waitingCount > EventLoop.mostWaiting }
}
