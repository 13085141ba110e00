// SPDX-License-Identifier: Apache-2.0
import Contract

/// The guest's own timer: exits only where its LVT entry is checked, none for a tick.
enum TimerTests {
  static var all: [Test] {
    [
      Test("preemption-timer") { bench throws(Failure) in
        guard bench.vendor == APUS_VENDOR_VMX else {
          throw .skipped("this processor has no VMX-preemption timer")
        }
        throw .skipped("the monitor arms no VMX-preemption timer")
      },
      Test("timer-one-shot") { bench throws(Failure) in
        let vcpu = try bench.guest("timer-one-shot")
        try vcpu.runToEnd()
        try vcpu.expectInterrupts(0x40, 1)
        try vcpu.expectResult(0, 0)
        try vcpu.expectExits([
          (APUS_EXIT_IO_CLIENT, 1), (APUS_EXIT_APIC_OTHER, 1), (APUS_EXIT_APIC_TIMER, 1),
        ])
      },
      Test("timer-periodic") { bench throws(Failure) in
        let vcpu = try bench.guest("timer-periodic")
        try vcpu.runToEnd()
        guard vcpu.machine.interrupts(0x41) >= 10 else {
          throw .value("interrupts", is: vcpu.machine.interrupts(0x41), expected: 10)
        }
        try vcpu.expectExits([
          (APUS_EXIT_IO_CLIENT, 1), (APUS_EXIT_APIC_OTHER, 1), (APUS_EXIT_APIC_TIMER, 1),
        ])
      },
      Test("tsc-deadline") { bench throws(Failure) in
        let vcpu = try bench.guest("tsc-deadline")
        try vcpu.runToEnd()
        guard vcpu.machine.result(0) == 1 else {
          throw .skipped("this processor has no TSC-deadline timer")
        }
        try vcpu.expectInterrupts(0x42, 1)
        // Bochs goes on showing the deadline (measured).
        if bench.vendor == APUS_VENDOR_SVM { try vcpu.expectResult(1, 0) }
        try vcpu.expectExits([
          (APUS_EXIT_IO_CLIENT, 1), (APUS_EXIT_APIC_OTHER, 1), (APUS_EXIT_APIC_TIMER, 1),
          (APUS_EXIT_CPUID, 1),
        ])
      },
    ]
  }
}
