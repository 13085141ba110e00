// SPDX-License-Identifier: Apache-2.0
import Contract

/// Interrupts go from the APIC to the guest's IDT: no exit but for what is checked.
enum InterruptTests {
  static var all: [Test] {
    [
      // A sleeping guest is woken by another CPU.
      Test("ipi") { bench throws(Failure) in
        let vcpu = try bench.guest("ipi")
        try vcpu.startRunning()
        for number in UInt64(0)..<5 {
          try vcpu.awaitResult(0, above: number)
          LocalAPIC.send(vector: 0x50, to: bench.cpus[0].apicID)
        }
        try vcpu.finishToEnd()
        try vcpu.expectInterrupts(0x50, 5)
        try vcpu.expectExits([(APUS_EXIT_IO_CLIENT, 1), (APUS_EXIT_APIC_OTHER, 1)])
      },
      Test("ipi-spin") { bench throws(Failure) in
        let vcpu = try bench.guest("ipi-spin")
        try vcpu.startRunning()
        try vcpu.awaitResult(0, above: 0)
        for number in UInt64(0)..<20 {
          LocalAPIC.send(vector: 0x50, to: bench.cpus[0].apicID)
          guard Clock.wait({ vcpu.machine.interrupts(0x50) > number }) else {
            throw .timeout("an interrupt")
          }
        }
        try vcpu.finishToEnd()
        try vcpu.expectExits([(APUS_EXIT_IO_CLIENT, 1), (APUS_EXIT_APIC_OTHER, 1)])
      },
      Test("self-ipi") { bench throws(Failure) in
        let vcpu = try bench.guest("self-ipi")
        try vcpu.runToEnd()
        try vcpu.expectInterrupts(0x51, 1)
        try vcpu.expectExits([(APUS_EXIT_IO_CLIENT, 1), (APUS_EXIT_APIC_OTHER, 1)])
      },
      Test("pending-across-exit") { bench throws(Failure) in
        let vcpu = try bench.guest("pending-across-exit")
        try vcpu.runToStep()
        try vcpu.runToEnd()
        try vcpu.expectResult(0, 0)
        try vcpu.expectResult(1, 1)
        try vcpu.expectInterrupts(0x52, 1)
        try vcpu.expectExits([
          (APUS_EXIT_IO_CLIENT, 2), (APUS_EXIT_APIC_OTHER, 1), (APUS_EXIT_CPUID, 1),
        ])
      },
      Test("task-priority") { bench throws(Failure) in
        let vcpu = try bench.guest("task-priority")
        try vcpu.runToEnd()
        try vcpu.expectResult(0, 0)
        try vcpu.expectResult(1, 0xf0)
        try vcpu.expectInterrupts(0x53, 1)
        try vcpu.expectExits([(APUS_EXIT_IO_CLIENT, 1), (APUS_EXIT_APIC_OTHER, 1)])
      },
      Test("interrupt-command") { bench throws(Failure) in
        let vcpu = try bench.guest("interrupt-command")
        try vcpu.runToEnd()
        try vcpu.expectInterrupts(0x54, 3)
        try vcpu.expectInterrupts(13, 3)
        try vcpu.expectInterrupts(2, 1)
        // On SVM the IRET of an NMI's handler exits.
        try vcpu.expectExits([
          (APUS_EXIT_IO_CLIENT, 1), (APUS_EXIT_APIC_OTHER, 3), (APUS_EXIT_APIC_ICR, 8),
          (APUS_EXIT_INTERRUPT_WINDOW, bench.vendor == APUS_VENDOR_SVM ? 1 : 0),
        ])
      },
    ]
  }
}
