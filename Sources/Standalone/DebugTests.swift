// SPDX-License-Identifier: Apache-2.0
import Contract
import Guests

/// KVM_SET_GUEST_DEBUG.
enum DebugTests {
  private static let step = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP

  static var all: [Test] {
    [
      Test("debugger-steps") { bench throws(Failure) in
        let vcpu = try bench.guest("debugged")
        try vcpu.runToStep()
        try vcpu.debug(step)
        // NOP, XOR, CPUID: the last is the monitor's.
        try vcpu.expectStop(at: vcpu.machine.result(1), vector: 1, status: 1 << 14)
        try vcpu.expectStop(at: vcpu.machine.result(1) + 2, vector: 1, status: 1 << 14)
        try vcpu.expectStop(at: vcpu.machine.result(2), vector: 1, status: 1 << 14)
        let registers = try vcpu.get("KVM_GET_REGS", KVM_GET_REGS_, as: kvm_regs.self)
        try expect("RFLAGS.TF", registers.rflags & 1 << 8, 0)
        try vcpu.debug(0)
        try vcpu.runToEnd()
        try vcpu.expectInterrupts(1, 0)
        try vcpu.expectInterrupts(3, 1)
      },
      Test("debugger-breaks") { bench throws(Failure) in
        let vcpu = try bench.guest("debugged")
        try vcpu.runToStep()
        let place = vcpu.machine.result(3)
        try vcpu.debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, address: place, dr7: 0x401)
        try vcpu.expectStop(at: place, vector: 1, status: 1)
        try vcpu.expectResult(5, 0x1234)
        try vcpu.expectResult(6, 0x401)
        try vcpu.debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP)
        try vcpu.expectStop(at: vcpu.machine.result(4), vector: 3, status: nil)
        try vcpu.debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_BP)
        try vcpu.runToEnd()
        try vcpu.expectInterrupts(1, 0)
        try vcpu.expectInterrupts(3, 1)
        try expect("RIP of the #BP", vcpu.machine.faultRIP, vcpu.machine.result(4) + 1)
      },
      Test("debugger-watches") { bench throws(Failure) in
        let vcpu = try bench.guest("debugged")
        try vcpu.runToStep()
        // Writes of 8 bytes to result 5.
        try vcpu.debug(
          KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, address: UInt64(GUEST_RESULTS) + 40,
          dr7: 0x401 | 1 << 16 | 2 << 18)
        let exit = try vcpu.runGuest()
        guard case .debug(_, let vector, let status) = exit else { throw .unexpectedExit(exit) }
        try expect("vector", UInt64(vector), 1)
        try expect("DR6", status & 0xf, 1)
        try vcpu.expectResult(5, 0x1234)
        try vcpu.debug(0)
        try vcpu.runToEnd()
      },
    ]
  }
}

extension VirtualCPU {
  fileprivate func debug(
    _ control: Int32, address: UInt64 = 0, dr7: UInt64 = 0
  ) throws(Failure) {
    var wanted = kvm_guest_debug()
    wanted.control = UInt32(control)
    wanted.arch.debugreg.0 = address
    wanted.arch.debugreg.7 = dr7
    try set("KVM_SET_GUEST_DEBUG", KVM_SET_GUEST_DEBUG_, wanted)
  }

  /// `status`: B0 to B3, BD and BS of DR6.
  fileprivate func expectStop(
    at pointer: UInt64, vector: UInt32, status: UInt64?
  ) throws(Failure) {
    let exit = try runGuest()
    guard case .debug(let found, let exception, let conditions) = exit else {
      throw .unexpectedExit(exit)
    }
    try expect("pc", found, pointer)
    try expect("vector", UInt64(exception), UInt64(vector))
    if let status { try expect("DR6", conditions & 0x600f, status) }
  }
}
