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
      // Interrupts stay direct; of the timer only its deadline exits.
      Test("own-tsc") { bench throws(Failure) in
        let vcpu = try bench.guest("own-tsc")
        let start: UInt64 = 1 << 50
        try vcpu.transferMSRs(KVM_SET_MSRS_, [(0x10, start)], expected: 1)
        try vcpu.runToEnd()
        let second = Clock.ticksPerMillisecond * 1000
        let values = (0..<5).map { vcpu.machine.result($0) }
        guard values[0] >= start, values[0] < start + 100 * second else {
          throw .value("RDTSC", is: values[0], expected: start)
        }
        guard values[1] >= values[0], values[1] < values[0] + second else {
          throw .value("IA32_TSC", is: values[1], expected: values[0])
        }
        guard values[2] >= values[1] + 1 << 40, values[2] < values[1] + 1 << 40 + second else {
          throw .value("RDTSC, adjusted", is: values[2], expected: values[1] + 1 << 40)
        }
        guard vcpu.machine.interrupts(0x42) == 1 else {
          try expect(
            "mode", UInt64(vcpu.statistics.timer_mode),
            UInt64(
              (bench.isEmulated ? APUS_TIMER_MONITOR : APUS_TIMER_DIRECT).rawValue))
          return
        }
        guard values[4] >= values[3], values[4] < values[3] + second else {
          throw .value("RDTSC at the deadline", is: values[4], expected: values[3])
        }
        if bench.isEmulated { return }
        try expect(
          "mode", UInt64(vcpu.statistics.timer_mode), UInt64(APUS_TIMER_CONVERTED.rawValue))
        // IA32_TSC_ADJUST, then the deadline.
        try vcpu.expectExits([
          (APUS_EXIT_IO_CLIENT, 1), (APUS_EXIT_APIC_OTHER, 1), (APUS_EXIT_APIC_TIMER, 1),
          (APUS_EXIT_CPUID, 1), (APUS_EXIT_MSR_READ, 2), (APUS_EXIT_MSR_WRITE, 2),
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
