// SPDX-License-Identifier: Apache-2.0
import Contract
import Entry

/// What exits, and what the client is asked then.
enum ExitTests {
  static var all: [Test] {
    [
      Test("triple-fault") { bench throws(Failure) in
        let vcpu = try bench.guest("triple-fault")
        let exit = try vcpu.runGuest()
        guard case .shutdown = exit else { throw .unexpectedExit(exit) }
        let registers = try vcpu.get("KVM_GET_REGS", KVM_GET_REGS_, as: kvm_regs.self)
        try vcpu.expectResult(0, registers.rip)
        try vcpu.expectExits([(APUS_EXIT_SHUTDOWN, 1)])
      },
      // An NMI for which there is no IDT: it ends this guest, and not the next one too.
      Test("triple-fault-of-nmi") { bench throws(Failure) in
        let vcpu = try bench.guest("spin")
        let registers = try vcpu.get("KVM_GET_REGS", KVM_GET_REGS_, as: kvm_regs.self)
        try vcpu.startRunning()
        try vcpu.awaitResult(0, above: 0)
        try vcpu.request(APUS_REQUEST_NMI)
        let exit = try vcpu.finishRunning()
        guard case .shutdown = exit else { throw .unexpectedExit(exit) }
        let before = vcpu.machine.result(0)
        try vcpu.set("KVM_SET_REGS", KVM_SET_REGS_, registers)
        try vcpu.startRunning()
        try vcpu.awaitResult(0, above: before)
        try vcpu.request(APUS_REQUEST_EXIT)
        guard case .interrupted = try vcpu.finishRunning() else { throw .timeout("-EINTR") }
        try vcpu.expectExits([(APUS_EXIT_SHUTDOWN, 1)])
      },
      // Code that is of 64 and of 32 bits. With the registers put right the guest runs.
      Test("refused-entry") { bench throws(Failure) in
        let vcpu = try bench.guest("end")
        let good = try vcpu.get("KVM_GET_SREGS", KVM_GET_SREGS_, as: kvm_sregs.self)
        let registers = try vcpu.get("KVM_GET_REGS", KVM_GET_REGS_, as: kvm_regs.self)
        var bad = good
        bad.cs.db = 1
        try vcpu.set("KVM_SET_SREGS", KVM_SET_SREGS_, bad)
        let exit = try vcpu.runGuest()
        guard case .failedEntry(let code) = exit else { throw .unexpectedExit(exit) }
        // Of VMEXIT_INVALID QEMU writes the lower half only, and KVM reports no more of it.
        let expected: UInt64 = bench.vendor == APUS_VENDOR_VMX ? 0x8000_0021 : 0xffff_ffff
        try expect("reason", code & 0xffff_ffff, expected)
        // QEMU leaves the monitor's own state in the VMCB.
        try vcpu.set("KVM_SET_SREGS", KVM_SET_SREGS_, good)
        try vcpu.set("KVM_SET_REGS", KVM_SET_REGS_, registers)
        try vcpu.runToEnd()
        try vcpu.expectExits([(APUS_EXIT_INVALID_STATE, 1), (APUS_EXIT_IO_CLIENT, 1)])
      },
      Test("unknown-msr") { bench throws(Failure) in
        let vcpu = try bench.guest("unknown-msr")
        try vcpu.runToEnd()
        try vcpu.expectInterrupts(13, 3)
        try expect("error code", vcpu.machine.faultError, 0)
        try vcpu.expectExits([
          (APUS_EXIT_IO_CLIENT, 1), (APUS_EXIT_APIC_OTHER, 1), (APUS_EXIT_MSR_READ, 2),
          (APUS_EXIT_MSR_WRITE, 1),
        ])
      },
      Test("unknown-port") { bench throws(Failure) in
        let vcpu = try bench.guest("unknown-port")
        for (size, data) in [(UInt8(4), UInt64(0x1234_5678)), (2, 0x5678), (1, 0x78)] {
          let exit = try vcpu.runGuest()
          guard case .port(0x7a0, size: size, isInput: false, let seen) = exit else {
            throw .unexpectedExit(exit)
          }
          let mask = size == 4 ? UInt64(0xffff_ffff) : (1 << UInt64(size * 8)) - 1
          try expect("data", seen & mask, data)
        }
        for size in [UInt8(1), 2, 4] {
          let exit = try vcpu.runGuest()
          guard case .port(0x7a0, size: size, isInput: true, _) = exit else {
            throw .unexpectedExit(exit)
          }
          vcpu.answerPort(0x1122_3344_5566_7788)
        }
        try vcpu.runToEnd()
        try vcpu.expectResult(0, 0xffff_ffff_ffff_ff88)
        try vcpu.expectResult(1, 0xffff_ffff_ffff_7788)
        try vcpu.expectResult(2, 0x5566_7788)
        try vcpu.expectExits([(APUS_EXIT_IO_CLIENT, 7)])
      },
      Test("nested-fault") { bench throws(Failure) in
        let vcpu = try bench.guest("nested-fault")
        try vcpu.expectMemory(0xd000_0000, 4, answer: 0x99aa_bbcc)
        try vcpu.expectMemory(0xd000_0005, 1, answer: 0xdd)
        try vcpu.expectMemory(0xd000_0008, 8, written: 0x1122_3344_5566_7788)
        try vcpu.expectMemory(0xd000_0010, 2, written: 0xabcd)
        try vcpu.expectMemory(0xd000_1020, 8, answer: 0x0102_0304_0506_0708)
        try vcpu.runToEnd()
        try vcpu.expectResult(0, 0x99aa_bbcc)
        try vcpu.expectResult(1, 0xdd)
        try vcpu.expectResult(2, 0x0102_0304_0506_0708)
        try vcpu.expectExits([(APUS_EXIT_IO_CLIENT, 1), (APUS_EXIT_MMIO_CLIENT, 5)])
      },
      Test("cpuid") { bench throws(Failure) in
        let vcpu = try bench.guest("cpuid")
        try vcpu.runToEnd()
        let own = cpuid(0, 0)
        try vcpu.expectResult(0, UInt64(own.ebx) << 32 | UInt64(own.eax))
        let features = vcpu.machine.result(3)
        try expect("hypervisor bit", features >> 31 & 1, 1)
        try expect("VMX bit", features >> 5 & 1, 0)
        try expect("x2APIC bit", features >> 21 & 1, 1)
        try vcpu.expectResult(4, 0x4b4d_564b_4000_0001)
        try expect("SVM bit", vcpu.machine.result(7) >> 2 & 1, 0)
        try vcpu.expectExits([(APUS_EXIT_IO_CLIENT, 1), (APUS_EXIT_CPUID, 5)])
      },
    ]
  }
}

extension VirtualCPU {
  /// Runs into KVM_EXIT_MMIO, a read that `answer` completes, or a write of `written`.
  func expectMemory(
    _ address: UInt64, _ length: UInt32, answer: UInt64? = nil, written: UInt64 = 0
  ) throws(Failure) {
    let exit = try runGuest()
    guard case .memory(address, length: length, let isWrite, let data) = exit,
      isWrite == (answer == nil)
    else { throw .unexpectedExit(exit) }
    if let answer {
      answerMemory(answer)
    } else {
      let mask = length == 8 ? UInt64.max : (1 << UInt64(length * 8)) - 1
      try expect("data", data & mask, written)
    }
  }
}
