// SPDX-License-Identifier: Apache-2.0
import Contract

/// An NMI gets the CPU back from any guest, and no request is ever lost (docs/model).
enum KickTests {
  static var all: [Test] {
    [
      Test("kick-spin") { bench throws(Failure) in try kick(bench.guest("spin")) },
      Test("kick-sleep") { bench throws(Failure) in try kick(bench.guest("sleep")) },
      Test("kick-debug-loop") { bench throws(Failure) in
        let vcpu = try bench.guest("debug-loop")
        try kick(vcpu)
        guard vcpu.exits(APUS_EXIT_EXCEPTION) > 0 else {
          throw .exits(APUS_EXIT_EXCEPTION, is: 0, expected: 1)
        }
      },
      Test("kick-race") { bench throws(Failure) in try race(bench.guest("spin")) },
      Test("kick-race-sleep") { bench throws(Failure) in try race(bench.guest("sleep")) },
      // No interrupt is lost or doubled, whatever the moment of a kick.
      Test("kick-and-interrupt") { bench throws(Failure) in
        let vcpu = try bench.guest("pulse")
        for number in 0..<100 {
          try vcpu.startRunning()
          if number == 0 { try vcpu.awaitResult(0, above: 0) }
          Clock.idle(steps: number)
          LocalAPIC.send(vector: 0x50, to: bench.cpus[0].apicID)
          try vcpu.request(APUS_REQUEST_EXIT)
          try expectInterrupted(vcpu.finishRunning())
          try vcpu.startRunning()
          try vcpu.awaitInterrupts(0x50, above: UInt64(number))
          try vcpu.request(APUS_REQUEST_EXIT)
          try expectInterrupted(vcpu.finishRunning())
        }
        try vcpu.expectInterrupts(0x50, 100)
      },
      // A request that is there before the guest starts: it does not start.
      Test("kick-before-entry") { bench throws(Failure) in
        let vcpu = try bench.guest("spin")
        try vcpu.request(APUS_REQUEST_EXIT)
        try expectInterrupted(vcpu.runGuest())
        try vcpu.expectResult(0, 0)
        try expect("entries", vcpu.statistics.entries, 0)
      },
    ]
  }

  /// Three times: the guest runs, is kicked, and goes on afterwards.
  private static func kick(_ vcpu: VirtualCPU) throws(Failure) {
    for _ in 0..<3 {
      let before = vcpu.machine.result(0)
      try vcpu.startRunning()
      try vcpu.awaitResult(0, above: before)
      try vcpu.request(APUS_REQUEST_EXIT)
      try expectInterrupted(vcpu.finishRunning())
    }
  }

  /// Kicks at all moments around an entry. Each KVM_RUN returns -EINTR.
  private static func race(_ vcpu: VirtualCPU) throws(Failure) {
    for delay in 0..<200 {
      try vcpu.startRunning()
      Clock.idle(steps: delay)
      try vcpu.request(APUS_REQUEST_EXIT)
      try expectInterrupted(vcpu.finishRunning())
    }
  }

  private static func expectInterrupted(_ exit: ClientExit) throws(Failure) {
    guard case .interrupted = exit else { throw .unexpectedExit(exit) }
  }
}
