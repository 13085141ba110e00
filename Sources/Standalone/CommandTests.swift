// SPDX-License-Identifier: Apache-2.0
import Contract

/// Arguments that cannot be: an error number, never a fault.
enum CommandTests {
  static var all: [Test] {
    [
      Test("commands-without-vcpu") { bench throws(Failure) in
        let cpu = bench.cpus[0]
        try expectAnswer("RUN", cpu.perform(APUS_COMMAND_RUN), -ENXIO_)
        try expectAnswer(
          "VCPU", cpu.perform(APUS_COMMAND_VCPU, UInt64(KVM_GET_REGS_)), -ENXIO_)
        try expectAnswer("UNBIND", cpu.perform(APUS_COMMAND_UNBIND), 0)
      },
      Test("bad-commands") { bench throws(Failure) in
        let vcpu = try bench.guest("end")
        let cpu = bench.cpus[0]
        try expectAnswer(
          "second BIND",
          cpu.perform(APUS_COMMAND_BIND, bench.cpus[0].area.address, vcpu.machine.area.address),
          -EBUSY_)
        try expectAnswer("command 99", cpu.perform(apus_command(rawValue: 99)), -EINVAL_)
        try expectAnswer("ioctl", vcpu.perform(0x1234, size: 16), -ENOTTY_)
        try expectAnswer(
          "VM ioctl", cpu.perform(APUS_COMMAND_VM, 0x1234), -ENOTTY_)
        try vcpu.runToEnd()
      },
      Test("bad-arguments") { bench throws(Failure) in
        let vcpu = try bench.guest("end")
        let good = try vcpu.get("KVM_GET_SREGS", KVM_GET_SREGS_, as: kvm_sregs.self)
        for number in 0..<6 {
          var bad = good
          switch number {
          case 0: bad.cr0 = 0x8000_0000
          case 1: bad.cr8 = 16
          case 2: bad.efer = 1 << 40
          case 3: bad.cr4 = 0
          case 4: bad.apic_base = 0xfee0_0901
          default: bad.cr0 |= 1 << 35
          }
          try expectAnswer("KVM_SET_SREGS", vcpu.perform(KVM_SET_SREGS_, bad), -EINVAL_)
        }
        try expectAnswer(
          "KVM_SET_MP_STATE", vcpu.perform(KVM_SET_MP_STATE_, kvm_mp_state(mp_state: 99)), -EINVAL_)
        for request in [KVM_SET_CPUID2_, KVM_GET_MSRS_, KVM_SET_MSRS_] {
          try expectAnswer("a count", vcpu.perform(request, UInt64(UInt32.max)), -E2BIG_)
        }
        try vcpu.runToEnd()
      },
    ]
  }

  private static func expectAnswer(
    _ name: StaticString, _ answer: Int64, _ expected: Int64
  ) throws(Failure) {
    guard answer == expected else { throw .answer(name, answer) }
  }
}
