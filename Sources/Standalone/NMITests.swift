// SPDX-License-Identifier: Apache-2.0
import Contract

/// NMIs: blocked while one is handled, and not taken behind STI and MOV SS.
enum NMITests {
  static var all: [Test] {
    [
      Test("nmi-blocked") { bench throws(Failure) in
        let vcpu = try bench.guest("nmi-blocked")
        try vcpu.runToEnd()
        try vcpu.expectResult(0, 2)
        try vcpu.expectResult(1, 1)
        try vcpu.expectResult(2, 0)
      },
      Test("nmi-shadow") { bench throws(Failure) in
        let vcpu = try bench.guest("nmi-shadow")
        try sendNMIs(60, to: vcpu)
        try vcpu.expectResult(0, 0)
        // TF in none of the frames.
        try expect("TF", vcpu.machine.result(1) & 0x100, 0)
        // There was something to step over.
        guard bench.vendor == APUS_VENDOR_VMX || vcpu.exits(APUS_EXIT_INTERRUPT_WINDOW) > 0 else {
          throw .exits(APUS_EXIT_INTERRUPT_WINDOW, is: 0, expected: 1)
        }
      },
      Test("nmi-halt") { bench throws(Failure) in
        let vcpu = try bench.guest("nmi-halt")
        try sendNMIs(60, to: vcpu)
      },
    ]
  }

  private static func sendNMIs(_ count: UInt64, to vcpu: VirtualCPU) throws(Failure) {
    try vcpu.startRunning()
    try vcpu.awaitResult(3, above: 0)
    for number in 0..<count {
      try vcpu.request(APUS_REQUEST_NMI)
      try vcpu.awaitInterrupts(2, above: number)
    }
    vcpu.machine.setParameter(1)
    try vcpu.finishToEnd()
    try vcpu.expectInterrupts(2, count)
  }
}
