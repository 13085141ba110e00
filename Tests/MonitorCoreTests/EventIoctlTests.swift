// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

/// linux/kvm.h: KVM_VCPUEVENT_VALID_PAYLOAD is 0x10, KVM_VCPUEVENT_VALID_TRIPLE_FAULT 0x20.
@Suite("Events that the client switched on")
struct EventIoctlTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }

  func pending(_ vector: UInt8, payload: UInt64) -> kvm_vcpu_events {
    var events = kvm_vcpu_events()
    events.flags = 0x10
    events.exception.pending = 1
    events.exception.nr = vector
    events.exception_has_payload = 1
    events.exception_payload = payload
    return events
  }

  @Test("Payload and triple fault are refused, and not shown, unless they were switched on")
  func off() {
    #expect(cpu.getEvents().flags & 0x30 == 0)
    #expect(cpu.setEvents(pending(14, payload: 1)) == -22)
    var events = kvm_vcpu_events()
    events.flags = 0x20
    #expect(cpu.setEvents(events) == -22)
  }

  @Test("A page fault that waits has its address in the payload")
  func pageFault() {
    cpu.vm.enabled = APUS_ENABLED_PAYLOAD
    #expect(cpu.getEvents().flags & 0x30 == 0x10)
    #expect(cpu.setEvents(pending(14, payload: 0x1234)) == 0)
    #expect(machine.unit.cr2 == 0x1234)
    #expect(machine.unit.injection?.vector == 14)
  }

  /// Single step is bit 14; bit 16 of DR6 is 0 in a transactional region; bit 12 is none of DR6's.
  @Test("A debug exception that waits has the change of DR6 in the payload")
  func debug() {
    cpu.vm.enabled = APUS_ENABLED_PAYLOAD
    machine.unit.dr6 = 0xffff_0ff1
    #expect(cpu.setEvents(pending(1, payload: 1 << 14 | 1 << 16 | 1 << 12 | 2)) == 0)
    #expect(machine.unit.dr6 == 0xfffe_4ff2)
  }

  @Test("A triple fault that waits ends the guest at the next KVM_RUN, and is seen until then")
  func tripleFault() {
    cpu.vm.enabled = APUS_ENABLED_TRIPLE_FAULT
    var events = cpu.getEvents()
    #expect(events.triple_fault.pending == 0)
    events.triple_fault.pending = 1
    #expect(cpu.setEvents(events) == 0)
    #expect(cpu.getEvents().triple_fault.pending == 1)
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.exit_reason == UInt32(KVM_EXIT_SHUTDOWN))
    #expect(cpu.getEvents().triple_fault.pending == 0)
  }
}
