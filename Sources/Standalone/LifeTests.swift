// SPDX-License-Identifier: Apache-2.0
import Contract

/// A CPU comes and goes, and a vCPU on it.
enum LifeTests {
  static var all: [Test] {
    [
      Test("end") { bench throws(Failure) in
        let vcpu = try bench.guest("end")
        try vcpu.runToEnd()
        try vcpu.expectExits([(APUS_EXIT_IO_CLIENT, 1)])
        try vcpu.unbind()
      },
      Test("park-and-restart") { bench throws(Failure) in
        for _ in 0..<50 {
          try bench.cpus[0].park()
          try bench.cpus[0].start()
        }
        try bench.guest("end").runToEnd()
      },
      // INIT from the middle of a guest; what the monitor left on the CPU does not matter then.
      Test("taken-by-force") { bench throws(Failure) in
        let vcpu = try bench.guest("spin")
        for _ in 0..<3 {
          let before = vcpu.machine.result(0)
          try vcpu.startRunning()
          try vcpu.awaitResult(0, above: before)
          _ = try bench.cpus[0].probe()
          try bench.cpus[0].start()
          try bench.guest("end").runToEnd()
          try TestRun.newest?.unbind()
          try vcpu.bind(to: bench.cpus[0])
        }
      },
      // A monitor that broke lets its CPU go: an NMI gets through to it, and so does an INIT. (QEMU's
      // INIT would in any case; its NMIs wait for GIF.)
      Test("stops") { bench throws(Failure) in
        let cpu = bench.cpus[0]
        // A physical address that no processor here has.
        try cpu.expectStop(vector: 14) { () throws(Failure) in
          _ = try cpu.perform(APUS_COMMAND_BIND, 1 << 51, 1 << 51)
        }
        let before = cpu.nmis
        cpu.kick()
        guard Clock.wait({ cpu.nmis > before }) else { throw .timeout("an NMI after the fault") }
        try cpu.start()
        try bench.guest("end").runToEnd()
      },
      Test("real-mode") { bench throws(Failure) in
        let vcpu = try bench.guest("real-mode")
        try vcpu.runToStep()
        try vcpu.expectResult(0, 0x1234)
        try vcpu.expectResult(1, 0x1000)
        try vcpu.runToStep()
        try vcpu.expectResult(2, 0x1234_5678)
        try vcpu.runToEnd()
        try vcpu.expectResult(3, 0x1122_3344_5566_7788)
        try vcpu.expectResult(4, 0x500)
        try vcpu.expectExits([
          (APUS_EXIT_IO_CLIENT, 3), (APUS_EXIT_MSR_READ, 2), (APUS_EXIT_MSR_WRITE, 1),
        ])
      },
      Test("keeps-state") { bench throws(Failure) in
        let vcpu = try bench.guest("keeps-state")
        try vcpu.runToStep()
        try vcpu.unbind()
        try bench.guest("timer-periodic").runToEnd()
        try TestRun.newest?.unbind()
        try vcpu.bind(to: bench.cpus[0])
        try vcpu.runToEnd()
        try expectKeptState(vcpu)
        try vcpu.expectInterrupts(0x41, 0)
      },
      // What a guest has requested stays with it: nobody else is interrupted.
      Test("leftovers") { bench throws(Failure) in
        let vcpu = try bench.guest("leftovers")
        try vcpu.runToStep()
        try vcpu.unbind()
        let other = try bench.guest("bystander")
        try other.runToEnd()
        for vector in UInt8(0)..<255 { try other.expectInterrupts(vector, 0) }
        try other.unbind()
        try vcpu.bind(to: bench.cpus[0])
        try vcpu.runToEnd()
        try vcpu.expectInterrupts(0x70, 1)
        try vcpu.expectInterrupts(0x12, 1)
      },
      Test("doorbell") { bench throws(Failure) in
        let vcpu = try bench.guest("end")
        LocalAPIC.takeInterrupts()
        let before = LocalAPIC.doorbells
        try vcpu.runToEnd()
        guard
          Clock.wait({
            LocalAPIC.takeInterrupts()
            return LocalAPIC.doorbells > before
          })
        else { throw .timeout("the doorbell") }
      },
      Test("immediate-exit") { bench throws(Failure) in
        let vcpu = try bench.guest("end")
        unsafe vcpu.run.pointee.immediate_exit = 1
        guard case .interrupted = try vcpu.runGuest() else { throw .timeout("-EINTR") }
        try expect("entries", vcpu.statistics.entries, 0)
        unsafe vcpu.run.pointee.immediate_exit = 0
        try vcpu.runToEnd()
      },
    ]
  }

  /// What the guest keeps-state finds after its absence.
  static func expectKeptState(_ vcpu: VirtualCPU) throws(Failure) {
    let expected: [UInt64] = [
      0x0123_4567_89ab_cdef, 0x1111, 0x2222, 0x3333, 0x4444, 0x5555, 4, 0x7777,
    ]
    for (index, value) in expected.enumerated() { try vcpu.expectResult(index, value) }
    try vcpu.expectInterrupts(0x31, 1)
  }
}
