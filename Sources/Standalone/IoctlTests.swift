// SPDX-License-Identifier: Apache-2.0
import Contract

/// What a client sets is what it gets, and what the guest then has.
enum IoctlTests {
  static var all: [Test] {
    [
      Test("registers-round-trip") { bench throws(Failure) in
        let vcpu = try bench.guest("end")
        var registers = try vcpu.get("KVM_GET_REGS", KVM_GET_REGS_, as: kvm_regs.self)
        registers.rax = 0x1111_2222_3333_4444
        registers.r15 = 0x8765_4321_0fed_cba9
        registers.rbp = 0xffff_8000_0000_0000
        try vcpu.expectRoundTrip("KVM_SET_REGS", KVM_SET_REGS_, KVM_GET_REGS_, registers)
        var special = try vcpu.get("KVM_GET_SREGS", KVM_GET_SREGS_, as: kvm_sregs.self)
        special.fs.base = 0x1234_5000
        special.gs.base = 0xffff_8880_0000_0000
        special.cr2 = 0xdead_0000
        special.cr8 = 3
        special.idt.base = 0x9000
        special.idt.limit = 0xabc
        try vcpu.expectRoundTrip("KVM_SET_SREGS", KVM_SET_SREGS_, KVM_GET_SREGS_, special)
        special.cr8 = 0
        try vcpu.set("KVM_SET_SREGS", KVM_SET_SREGS_, special)
        try vcpu.runToEnd()
      },
      Test("debug-registers-round-trip") { bench throws(Failure) in
        let vcpu = try bench.guest("end")
        var registers = kvm_debugregs()
        registers.db = (0x1000, 0x2000, 0x3000, 0x4000)
        registers.dr6 = 0xffff_0ff0
        registers.dr7 = 0x400
        try vcpu.expectRoundTrip(
          "KVM_SET_DEBUGREGS", KVM_SET_DEBUGREGS_, KVM_GET_DEBUGREGS_, registers)
      },
      Test("fpu-round-trip") { bench throws(Failure) in
        let vcpu = try bench.guest("end")
        var state = try vcpu.get("KVM_GET_FPU", KVM_GET_FPU_, as: kvm_fpu.self)
        try expect("FCW", UInt64(state.fcw), 0x37f)
        try expect("MXCSR", UInt64(state.mxcsr), 0x1f80)
        state.fcw = 0x27f
        state.mxcsr = 0x1fa0
        state.xmm.3.0 = 0x5a
        state.fpr.2.9 = 0x40
        try vcpu.expectRoundTrip("KVM_SET_FPU", KVM_SET_FPU_, KVM_GET_FPU_, state)
        // An exception mask that does not exist would make FXRSTOR fault.
        state.mxcsr = 0x8000_0000
        let answer = try vcpu.perform(KVM_SET_FPU_, state)
        guard answer == -EINVAL_ || answer == 0 else { throw .answer("KVM_SET_FPU", answer) }
        try vcpu.runToEnd()
      },
      Test("msrs-round-trip") { bench throws(Failure) in
        let vcpu = try bench.guest("end")
        // STAR, LSTAR, KERNEL_GS_BASE, PAT, an MTRR; then one that does not exist.
        let values: [(UInt32, UInt64)] = [
          (0xc000_0081, 0x23_0008_0000_0000), (0xc000_0082, 0xffff_8000_0000_1000),
          (0xc000_0102, 0x7777_0000), (0x277, 0x0007_0406_0007_0406), (0x200, 0x6),
          (0x1_2345, 1),
        ]
        try vcpu.transferMSRs(KVM_SET_MSRS_, values, expected: 5)
        let read = try vcpu.transferMSRs(
          KVM_GET_MSRS_, values.map { ($0.0, 0) }, expected: 5)
        for index in 0..<5 { try expect("an MSR", read[index], values[index].1) }
        // All that the image's list names can be read.
        guard let image = MonitorImage.loaded else { throw .noGuest }
        let count = Int(image.header.msr_count)
        var list: [(UInt32, UInt64)] = []
        for index in 0..<count {
          let offset = image.offset(of: image.header.msrs) + index * 4
          list.append((image.pages.load(at: offset), 0))
        }
        try vcpu.transferMSRs(KVM_GET_MSRS_, list, expected: Int64(count))
      },
      Test("local-apic-round-trip") { bench throws(Failure) in
        let vcpu = try bench.guest("end")
        // In the layout of the xAPIC page: priority, SVR, LVT timer, LINT0; 0x31 and, as a level, 0x61 in
        // service, 0x45 requested.
        let registers: [(Int, UInt32)] = [
          (0x80, 0x20), (0xf0, 0x1ff), (0x320, 0x1_0044), (0x350, 0x700), (0x110, 1 << 0x11),
          (0x130, 1 << 1), (0x1b0, 1 << 1), (0x220, 1 << 5),
        ]
        let size = MemoryLayout<kvm_lapic_state>.size
        try expectZero("KVM_GET_LAPIC", vcpu.perform(KVM_GET_LAPIC_, size: size))
        vcpu.withPayload { payload in
          for (offset, value) in registers { payload.store(value, at: offset) }
        }
        try expectZero("KVM_SET_LAPIC", vcpu.perform(KVM_SET_LAPIC_, size: size))
        vcpu.withPayload { $0.clear() }
        try expectZero("KVM_GET_LAPIC", vcpu.perform(KVM_GET_LAPIC_, size: size))
        for (offset, value) in registers {
          let read = vcpu.withPayload { $0.load(UInt32.self, at: offset) }
          try expect("a register of the APIC", UInt64(read), UInt64(value))
        }
      },
      Test("state-round-trip") { bench throws(Failure) in
        let vcpu = try bench.guest("end")
        var events = try vcpu.get(
          "KVM_GET_VCPU_EVENTS", KVM_GET_VCPU_EVENTS_, as: kvm_vcpu_events.self)
        try expect("an injected exception", UInt64(events.exception.injected), 0)
        events.interrupt.shadow = 0
        try vcpu.set("KVM_SET_VCPU_EVENTS", KVM_SET_VCPU_EVENTS_, events)
        let state = try vcpu.get("KVM_GET_MP_STATE", KVM_GET_MP_STATE_, as: kvm_mp_state.self)
        try expect("KVM_GET_MP_STATE", UInt64(state.mp_state), 0)
        let controls = try vcpu.get("KVM_GET_XCRS", KVM_GET_XCRS_, as: kvm_xcrs.self)
        try expect("XCRs", UInt64(controls.nr_xcrs), 1)
        try vcpu.set("KVM_SET_XCRS", KVM_SET_XCRS_, controls)
        try vcpu.runToEnd()
      },
    ]
  }

  private static func expectZero(_ name: StaticString, _ answer: Int64) throws(Failure) {
    guard answer == 0 else { throw .answer(name, answer) }
  }
}

extension VirtualCPU {
  /// Sets a structure, and gets the same bytes.
  func expectRoundTrip<Value: BitwiseCopyable>(
    _ name: StaticString, _ setting: UInt32, _ getting: UInt32, _ value: Value
  ) throws(Failure) {
    try set(name, setting, value)
    withPayload { $0.clear() }
    let read = try get(name, getting, as: Value.self)
    let size = MemoryLayout<Value>.size
    let places = Memory.pages(2)
    places.store(value, at: 0)
    places.store(read, at: 4096)
    for offset in 0..<size {
      let wanted = places.load(UInt8.self, at: offset)
      guard places.load(UInt8.self, at: 4096 + offset) == wanted else {
        throw .value(name, is: UInt64(offset), expected: UInt64(size))
      }
    }
  }

  /// struct kvm_msrs there and back; `expected` of them exist.
  @discardableResult
  func transferMSRs(
    _ request: UInt32, _ values: [(UInt32, UInt64)], expected: Int64
  ) throws(Failure) -> [UInt64] {
    let header = MemoryLayout<kvm_msrs>.size
    withPayload { payload in
      payload.store(UInt64(values.count), at: 0)
      for (index, (msr, value)) in values.enumerated() {
        payload.store(
          kvm_msr_entry(index: msr, reserved: 0, data: value), at: header + index * 16)
      }
    }
    let answer = try perform(request, size: header + values.count * 16)
    guard answer == expected else { throw .answer("MSRs", answer) }
    var read: [UInt64] = []
    withPayload { payload in
      for index in 0..<values.count { read.append(payload.load(at: header + index * 16 + 8)) }
    }
    return read
  }
}
