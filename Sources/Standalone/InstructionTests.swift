// SPDX-License-Identifier: Apache-2.0
import Contract

/// Instructions that the guest does not get as they are.
enum InstructionTests {
  static var all: [Test] {
    [
      Test("hypercall") { bench throws(Failure) in
        let vcpu = try bench.guest("hypercall")
        try vcpu.runToEnd()
        let refused = UInt64(bitPattern: -1000)
        let isIntel = bench.vendor == APUS_VENDOR_VMX
        try vcpu.expectResult(0, isIntel ? refused : 77)
        try vcpu.expectResult(1, isIntel ? 77 : refused)
        try vcpu.expectInterrupts(6, 1)
        try expect("hypercalls", vcpu.exits(APUS_EXIT_HYPERCALL), 1)
      },
      Test("virtualisation") { bench throws(Failure) in
        let vcpu = try bench.guest("virtualisation")
        try vcpu.runToEnd()
        try vcpu.expectInterrupts(6, 10)
      },
      Test("control-bits") { bench throws(Failure) in
        let vcpu = try bench.guest("control-bits")
        let isIntel = bench.vendor == APUS_VENDOR_VMX
        vcpu.machine.setParameter(isIntel ? 1 : 0)
        try vcpu.runToEnd()
        try vcpu.expectInterrupts(13, isIntel ? 3 : 2)
        try vcpu.expectResult(0, 0x20)
        try vcpu.expectResult(1, 0x8000_0011)
      },
      Test("extended-control") { bench throws(Failure) in
        let vcpu = try bench.guest("extended-control")
        try vcpu.runToEnd()
        try vcpu.expectResult(0, 3)
        try vcpu.expectInterrupts(13, 2)
        try expect("exits for XSETBV", vcpu.exits(APUS_EXIT_XSETBV), 3)
      },
      Test("cache") { bench throws(Failure) in
        let vcpu = try bench.guest("cache")
        try vcpu.runToEnd()
      },
      Test("halt-without-irqchip") { bench throws(Failure) in
        let vcpu = try bench.guest("halt", interruptControllers: false)
        for _ in 0..<2 {
          let exit = try vcpu.runGuest()
          guard case .other(UInt32(KVM_EXIT_HLT)) = exit else { throw .unexpectedExit(exit) }
        }
        try vcpu.expectExits([(APUS_EXIT_HLT, 2)])
      },
      Test("string-port") { bench throws(Failure) in
        let vcpu = try bench.guest("string-port")
        // Six bytes to the end of the page, six after it.
        for (count, data) in [
          (UInt32(6), UInt64(0x0708_090a_0b0c)), (6, 0x0102_0304_0506),
        ] {
          let exit = try vcpu.runGuest()
          guard case .port(0x7a0, size: 1, isInput: false, let seen) = exit else {
            throw .unexpectedExit(exit)
          }
          try expect("count", UInt64(vcpu.portCount), UInt64(count))
          try expect("data", seen & 0xffff_ffff_ffff, data)
        }
        for answer in [UInt64(0x2222_1111), 0x4444_3333] {
          let exit = try vcpu.runGuest()
          guard case .port(0x7a0, size: 2, isInput: true, _) = exit else {
            throw .unexpectedExit(exit)
          }
          try expect("count", UInt64(vcpu.portCount), 2)
          vcpu.answerPort(answer)
        }
        try vcpu.runToEnd()
        try vcpu.expectResult(0, 0xd006)
        try vcpu.expectResult(1, 0)
        try vcpu.expectResult(2, 0xe004)
        try vcpu.expectResult(3, 0x4444_3333_2222_1111)
      },
      Test("clock") { bench throws(Failure) in
        let vcpu = try bench.guest("clock")
        try vcpu.runToEnd()
        try vcpu.expectResult(0, 0xc001)
        let page = vcpu.machine.memory
        try expect("version", page.word(at: 0xc000) & 1, 0)
        try expect("flags", page.word(at: 0xc018) >> 40 & 0xff, 1)
        // Nanoseconds of a millisecond: ticks * 2 to the shift * factor / 2 to the 32.
        let factor = page.word(at: 0xc018) & 0xffff_ffff
        let shift = page.word(at: 0xc018) >> 32 & 0xff
        let nanoseconds = ((Clock.ticksPerMillisecond << shift) * factor) >> 32
        guard (999_900...1_000_100).contains(nanoseconds) else {
          throw .value("nanoseconds in a millisecond", is: nanoseconds, expected: 1_000_000)
        }
      },
    ]
  }
}
