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

  var virtualCPUCount: Int { processors.count }

  var uptime: Duration { clock.elapsed }

  func virtualCPUStatus() -> [GuestStatus.VirtualCPU] { processors.map { $0.status() } }

  func pressPowerButton() -> Bool { power.pressPowerButton() }

  func endRun() { control.finish(.signal(SIGTERM)) }

  func sendNMI(virtualCPU: Int) -> String? {
    do {
      try processors[virtualCPU].sendNMI()
      return nil
    } catch {
      return "\(error)"
    }
  }

  func receive(_ input: ArraySlice<UInt8>) { console.receive(input) }

  var isConsoleFull: Bool { console.waitingCount > EventLoop.mostWaiting }
}

extension Processor {
  /// While the vCPU runs.
  func status() -> GuestStatus.VirtualCPU {
    let id = Int(virtualCPU.id)
    if isApus {
      guard let statistics = try? virtualCPU.statistics() else {
        return .init(VirtualCPUResult(lostOnApus: id), hasAPIC: false)
      }
      return .init(VirtualCPUResult(id: id, apus: statistics), hasAPIC: true)
    }
    // KVM's registers are their thread's alone.
    let result = VirtualCPUResult(id: id, kvm: exits(), pinnedTo: pinnedCPU, apicBase: 0)
    return .init(result, hasAPIC: false)
  }
}
