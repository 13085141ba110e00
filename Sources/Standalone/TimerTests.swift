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
        // The PIT of a guest that neither sleeps nor exits: without that timer it would wait for good.
        let vcpu = try bench.guest("pit-spin")
        try vcpu.runToEnd()
        try vcpu.expectInterrupts(0x30, 3)
        try expect("timer's exits", vcpu.exits(APUS_EXIT_PREEMPTION_TIMER), 3)
        // 1193 ticks of 1193182 Hz: never early, and then one after the other.
        let period = Clock.ticksPerMillisecond * 999_847 / 1_000_000
        let first = vcpu.machine.result(1) &- vcpu.machine.result(0)
        guard first >= period else {
          throw .value("ticks to the first", is: first, expected: period)
        }
        let others = vcpu.machine.result(2) &- vcpu.machine.result(1)
        guard others + period / 5 >= 2 * period, others <= 2 * period + period / 5 else {
          throw .value("ticks to the third", is: others, expected: 2 * period)
        }
      },
      // Each start and each stop is told to the driver, whose CPU gets an interrupt for it.
      Test("pit-restarts") { bench throws(Failure) in
        guard bench.vendor == APUS_VENDOR_SVM else {
          throw .skipped("this processor has a timer of its own for the PIT")
        }
        let vcpu = try bench.guest("pit-restarts")
        try vcpu.runToEnd()
        let least = 98 * Clock.ticksPerMillisecond / 5
        let ticks = vcpu.machine.result(1) &- vcpu.machine.result(0)
        guard ticks >= least else { throw .value("ticks", is: ticks, expected: least) }
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
