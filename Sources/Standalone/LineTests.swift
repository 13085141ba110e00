// SPDX-License-Identifier: Apache-2.0
import Contract

/// Interrupt lines, and the devices behind them that the monitor emulates.
enum LineTests {
  static var all: [Test] {
    [
      // A real interrupt of the guest's vector: no exit for any of them.
      Test("line-direct") { bench throws(Failure) in
        let vcpu = try bench.guest("line-direct")
        try vcpu.startRunning()
        try vcpu.awaitResult(0, above: 0)
        try expect("route", vcpu.route(of: 4) & APUS_ROUTE_DIRECT_, APUS_ROUTE_DIRECT_)
        for number in UInt64(0)..<3 {
          if number > 0 { try vcpu.setLine(4, high: false) }
          try vcpu.setLine(4, high: true)
          try vcpu.awaitInterrupts(0x60, above: number)
        }
        // The line is still high when the guest masks it, and that is no second edge.
        try vcpu.finishToStep()
        try vcpu.setLine(4, high: false)
        try expect("route", vcpu.route(of: 4) & APUS_ROUTE_DIRECT_, 0)
        try vcpu.setLine(4, high: true)
        try vcpu.runToEnd()
        try vcpu.expectInterrupts(0x60, 3)
        try vcpu.expectExits([
          (APUS_EXIT_IO_CLIENT, 2), (APUS_EXIT_APIC_OTHER, 1), (APUS_EXIT_MMIO, 8),
          (APUS_EXIT_IO, 1),
        ])
      },
      Test("line-level") { bench throws(Failure) in
        let vcpu = try bench.guest("line-level")
        try vcpu.startRunning()
        try vcpu.awaitResult(0, above: 0)
        for _ in 0..<2 {
          try vcpu.setLine(5, high: true)
          try vcpu.finishToStep()
          try vcpu.setLine(5, high: false)
          try vcpu.startRunning()
        }
        try vcpu.finishToStep()
        try vcpu.runToEnd()
        try vcpu.expectInterrupts(0x61, 2)
        try vcpu.expectInterrupts(0x62, 1)
        try vcpu.expectExits([
          (APUS_EXIT_IO_CLIENT, 4), (APUS_EXIT_APIC_OTHER, 1), (APUS_EXIT_MMIO, 4),
          (APUS_EXIT_APIC_EOI, 2), (APUS_EXIT_IO, 1),
        ])
      },
      // ExtINT by way of the PICs is injected, and waits while IF is 0.
      Test("line-pic") { bench throws(Failure) in
        let vcpu = try bench.guest("line-pic")
        try vcpu.startRunning()
        try vcpu.awaitResult(0, above: 0)
        try vcpu.setLine(3, high: true)
        try vcpu.setLine(3, high: false)
        try vcpu.finishToStep()
        try vcpu.startRunning()
        try vcpu.awaitResult(0, above: 1)
        try vcpu.setLine(3, high: true)
        vcpu.machine.setParameter(1)
        try vcpu.finishToEnd()
        try vcpu.expectResult(1, 1)
        try vcpu.expectInterrupts(0x33, 2)
        guard vcpu.exits(APUS_EXIT_INTERRUPT_WINDOW) <= 2 else {
          throw .exits(
            APUS_EXIT_INTERRUPT_WINDOW, is: vcpu.exits(APUS_EXIT_INTERRUPT_WINDOW), expected: 1)
        }
        try expect("exits for ports", vcpu.exits(APUS_EXIT_IO), 12)
      },
      // The monitor says when; the stand-in's clock does it.
      Test("pit") { bench throws(Failure) in
        let vcpu = try bench.guest("pit")
        // With a timer of its own the monitor needs nobody.
        if bench.vendor == APUS_VENDOR_VMX {
          try vcpu.runToEnd()
          try vcpu.expectInterrupts(0x30, 3)
          try expect("timer's exits", vcpu.exits(APUS_EXIT_PREEMPTION_TIMER), 3)
          return
        }
        try vcpu.startRunning()
        let timer = unsafe vcpu.machine.control
        guard Clock.wait({ unsafe loadAcquire(&timer.pointee.timer.period_ns) != 0 }) else {
          throw .timeout("the PIT")
        }
        // 1193 ticks of 1193182 Hz.
        try expect("period", unsafe timer.pointee.timer.period_ns, 999_847)
        try expect("line", UInt64(unsafe timer.pointee.timer.line), 0)
        // It falls and rises again before the monitor looks: an edge, though the level is what it was.
        for number in UInt64(0)..<2 {
          try vcpu.setLine(0, high: true)
          try vcpu.awaitInterrupts(0x30, above: number)
          try vcpu.setLine(0, high: false)
        }
        try vcpu.setLine(0, high: true)
        try vcpu.finishToEnd()
        try vcpu.expectInterrupts(0x30, 3)
      },
      Test("pit-storm") { bench throws(Failure) in try bench.guest("pit-storm").runToEnd() },
      Test("nmi") { bench throws(Failure) in
        let vcpu = try bench.guest("nmi")
        try vcpu.startRunning()
        try vcpu.awaitResult(0, above: 0)
        try vcpu.request(APUS_REQUEST_NMI)
        try vcpu.awaitInterrupts(2, above: 0)
        try vcpu.request(APUS_REQUEST_NMI)
        try vcpu.finishToEnd()
        try vcpu.expectInterrupts(2, 2)
        try expect("exits for the APIC", vcpu.exits(APUS_EXIT_APIC_OTHER), 1)
        try expect("exits to the client", vcpu.exits(APUS_EXIT_IO_CLIENT), 1)
      },
    ]
  }
}
