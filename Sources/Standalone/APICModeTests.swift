// SPDX-License-Identifier: Apache-2.0
import Contract

/// xAPIC and x2APIC mode as the guest chooses them.
enum APICModeTests {
  static var all: [Test] {
    [
      Test("xapic") { bench throws(Failure) in
        let vcpu = try bench.guest("xapic", x2APIC: false)
        try vcpu.runToEnd()
        try vcpu.expectResult(0, 0)
        try vcpu.expectInterrupts(0x43, 1)
        try vcpu.expectInterrupts(0x44, 1)
        try expect("mode", UInt64(vcpu.statistics.apic_mode), UInt64(APUS_APIC_XAPIC.rawValue))
        // Eight accesses of the guest's and two EOIs.
        try vcpu.expectExits([(APUS_EXIT_IO_CLIENT, 1), (APUS_EXIT_MMIO, 10)])
      },
      Test("to-x2apic") { bench throws(Failure) in
        let vcpu = try bench.guest("to-x2apic", x2APIC: false)
        try vcpu.runToEnd()
        try vcpu.expectResult(0, 0xfee0_0900)
        try vcpu.expectResult(1, 0xfee0_0d00)
        try vcpu.expectInterrupts(13, 4)
        try vcpu.expectInterrupts(0x45, 1)
        try expect("mode", UInt64(vcpu.statistics.apic_mode), UInt64(APUS_APIC_X2APIC.rawValue))
        let timer = bench.isEmulated ? APUS_TIMER_MONITOR : APUS_TIMER_DIRECT
        try expect("timer", UInt64(vcpu.statistics.timer_mode), UInt64(timer.rawValue))
      },
    ]
  }
}
