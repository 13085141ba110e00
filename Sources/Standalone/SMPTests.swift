// SPDX-License-Identifier: Apache-2.0
import Contract

/// Two vCPUs of one VM on two lent CPUs.
enum SMPTests {
  static var all: [Test] {
    [
      Test("start-up") { bench throws(Failure) in
        let cpu = try bench.secondCPU()
        let first = try bench.guest("start-up")
        let second = VirtualCPU(first.machine, id: 1)
        try second.bind(to: cpu)
        try second.offerCPUID()
        if bench.isEmulated { try second.chooseTimer(bench.policy) }
        try second.startRunning()
        try first.runToEnd()
        guard case .port = try second.finishRunning() else { throw .timeout("the second vCPU") }
        try first.expectResult(1, 1)
        try first.expectInterrupts(0x57, 1)
        try first.expectInterrupts(0x58, 1)
        try first.expectInterrupts(0x59, 1)
        try first.expectInterrupts(0x5a, 1)
        // INIT, start-up and two interrupts; the receiver has no exit for any of them.
        try first.expectExits([
          (APUS_EXIT_IO_CLIENT, 1), (APUS_EXIT_APIC_OTHER, 1), (APUS_EXIT_APIC_ICR, 4),
        ])
        try second.unbind()
        try cpu.park()
      },
      // A monitor that broke with the VM's lock in its hands takes the VM's other CPUs along, instead of
      // leaving them to wait where nothing reaches them.
      Test("stops-with-lock") { bench throws(Failure) in
        let cpus = [bench.cpus[0], try bench.secondCPU()]
        let first = try bench.guest("end")
        let second = VirtualCPU(first.machine, id: 1)
        try second.bind(to: cpus[1])
        first.machine.breakSlot(1)
        try cpus[0].expectStop(vector: 14) { () throws(Failure) in _ = try first.runGuest() }
        try cpus[1].expectStop(vector: UInt64(APUS_FAULT_LOCK)) { () throws(Failure) in
          _ = try second.runGuest()
        }
        for cpu in cpus {
          let before = cpu.nmis
          cpu.kick()
          guard Clock.wait({ cpu.nmis > before }) else { throw .timeout("an NMI after the fault") }
          try cpu.start()
        }
        try bench.guest("end").runToEnd()
        try cpus[1].park()
      },
      // A vCPU's state goes from one CPU to another.
      Test("moves") { bench throws(Failure) in
        let cpu = try bench.secondCPU()
        let vcpu = try bench.guest("keeps-state")
        try vcpu.runToStep()
        try vcpu.unbind()
        try vcpu.bind(to: cpu)
        try vcpu.runToEnd()
        try LifeTests.expectKeptState(vcpu)
        try vcpu.unbind()
        try cpu.park()
      },
    ]
  }
}
