// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("What a client switches on for a vCPU")
struct CapabilityTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }

  func enable(_ capability: Int32, _ argument: UInt64 = 1, flags: UInt32 = 0) -> Int64 {
    var wanted = kvm_enable_cap()
    wanted.cap = UInt32(capability)
    wanted.flags = flags
    wanted.args.0 = argument
    return cpu.enable(wanted)
  }

  @Test("An unknown capability and unknown flags are refused")
  func unknown() {
    #expect(enable(0x7fff_ffff) == -22)
    #expect(enable(KVM_CAP_IRQCHIP) == -22)
    #expect(enable(KVM_CAP_ENFORCE_PV_FEATURE_CPUID, flags: 1) == -22)
  }

  /// MSRs of linux/kvm_para.h; leaf 0x40000001 EAX: bit 0 CLOCKSOURCE, bit 3 CLOCKSOURCE2.
  @Test("With enforcement a guest has kvmclock only if CPUID says so; its client has it always")
  func enforcement() {
    let clocks = [0x11, 0x12, 0x4b56_4d00, 0x4b56_4d01].map { MSR(rawValue: $0) }
    for clock in clocks { #expect(cpu.readMSR(clock) == 0) }
    #expect(enable(KVM_CAP_ENFORCE_PV_FEATURE_CPUID) == 0)
    for clock in clocks {
      #expect(cpu.readMSR(clock) == nil)
      #expect(!cpu.writeMSR(clock, 0, by: .guest))
      #expect(cpu.readMSR(clock, by: .client) == 0)
      #expect(cpu.writeMSR(clock, 0, by: .client))
    }
    cpu.cpuidTable[0] = kvm_cpuid_entry2(
      function: 0x4000_0001, index: 0, flags: 0, eax: 1 << 3, ebx: 0, ecx: 0, edx: 0,
      padding: (0, 0, 0))
    cpu.cpuidTable.index(count: 1)
    #expect(clocks.map { cpu.readMSR($0) } == [nil, nil, 0, 0])
    #expect(enable(KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 0) == 0)
    cpu.cpuidTable.index(count: 0)
    for clock in clocks { #expect(cpu.readMSR(clock) == 0) }
  }

  @Test("A page for the task priority can only be taken away, where the APIC is in the monitor")
  func virtualAPIC() {
    #expect(cpu.setVAPICAddress(kvm_vapic_addr(vapic_addr: 0)) == 0)
    #expect(cpu.setVAPICAddress(kvm_vapic_addr(vapic_addr: 0x1000)) == -22)
    let without = PretendedMachine(irqchip: false)
    #expect(without.cpu.setVAPICAddress(kvm_vapic_addr(vapic_addr: 0)) == -22)
    var control = kvm_tpr_access_ctl()
    control.enabled = 1
    #expect(cpu.reportTaskPriorityAccesses(control) == 0)
    control.flags = 1
    #expect(cpu.reportTaskPriorityAccesses(control) == -22)
  }
}
