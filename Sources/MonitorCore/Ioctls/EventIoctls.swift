// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, KVM_GET_DEBUGREGS and KVM_SET_DEBUGREGS.
extension VirtualCPU {
  func getEvents() -> kvm_vcpu_events {
    var events = kvm_vcpu_events()
    if let event = unit.injection {
      switch event.kind {
      case .external:
        events.interrupt.injected = 1
        events.interrupt.nr = event.vector
      case .nonMaskable: events.nmi.injected = 1
      case .exception, .software:
        events.exception.injected = 1
        events.exception.nr = event.vector
        events.exception.has_error_code = event.errorCode == nil ? 0 : 1
        events.exception.error_code = event.errorCode ?? 0
      }
    }
    events.interrupt.shadow =
      unit.interruptShadow ? UInt8(KVM_X86_SHADOW_INT_STI | KVM_X86_SHADOW_INT_MOV_SS) : 0
    events.nmi.pending = state.pendingNMIs + (unit.holdsNMI ? 1 : 0)
    events.nmi.masked = unit.nmiBlocked ? 1 : 0
    events.flags =
      UInt32(KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW) | enabledEvents
    if enabledEvents & UInt32(KVM_VCPUEVENT_VALID_TRIPLE_FAULT) != 0 {
      events.triple_fault.pending = state.shutdownPending ? 1 : 0
    }
    return events
  }

  /// Parts of struct kvm_vcpu_events that are valid if the client has asked for them.
  private var enabledEvents: UInt32 {
    let enabled = vm.enabled
    return
      (enabled & APUS_ENABLED_PAYLOAD != 0 ? UInt32(KVM_VCPUEVENT_VALID_PAYLOAD) : 0)
      | (enabled & APUS_ENABLED_TRIPLE_FAULT != 0 ? UInt32(KVM_VCPUEVENT_VALID_TRIPLE_FAULT) : 0)
  }

  /// What the delivery of an exception changes, where another hypervisor had not begun it: CR2 and DR6.
  private func deliver(_ payload: UInt64, of vector: UInt8) {
    switch ExceptionVector(rawValue: vector) {
    case .pageFault: unit.cr2 = payload
    case .debug:
      // The payload has bits of VT-x's pending debug exceptions. Some bits of DR6 are the other way
      // round, and bit 12 has none there. SDM vol. 3, 18.2.3 and 25.4.2.
      let low: UInt64 = 0xffff_0ff0
      guestDR6 = ((guestDR6 & ~0xf | low | payload) ^ payload & low) & ~(1 << 12)
    default: break
    }
  }

  func setEvents(_ events: kvm_vcpu_events) -> Int64 {
    let known =
      KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR
      | KVM_VCPUEVENT_VALID_SHADOW
    guard events.flags & ~(UInt32(known) | enabledEvents) == 0 else { return -EINVAL_ }
    let hasPayload = events.flags & UInt32(KVM_VCPUEVENT_VALID_PAYLOAD) != 0
    // Without that, `pending` is what `injected` is with it.
    let isPending = hasPayload && events.exception.pending != 0
    if events.exception.injected != 0 || isPending {
      guard events.exception.nr < 32, events.exception.nr != 2 else { return -EINVAL_ }
      unit.injection = Event(
        kind: .exception, vector: events.exception.nr,
        errorCode: events.exception.has_error_code != 0 ? events.exception.error_code : nil)
      if isPending, events.exception_has_payload != 0 {
        deliver(events.exception_payload, of: events.exception.nr)
      }
    } else if events.nmi.injected != 0 {
      unit.injection = Event(kind: .nonMaskable, vector: 2)
    } else if events.interrupt.injected != 0 {
      unit.injection = Event(kind: .external, vector: events.interrupt.nr)
      state.apic.ownsInjection = state.apic.software.service.contains(events.interrupt.nr)
    } else {
      unit.injection = nil
    }
    if events.flags & UInt32(KVM_VCPUEVENT_VALID_SHADOW) != 0 {
      unit.interruptShadow = events.interrupt.shadow != 0
    }
    if events.flags & UInt32(KVM_VCPUEVENT_VALID_NMI_PENDING) != 0 {
      state.pendingNMIs = min(events.nmi.pending, 2)
      unit.holdsNMI = false
    }
    // One that is injected blocks others by itself.
    if events.nmi.injected == 0 { unit.nmiBlocked = events.nmi.masked != 0 }
    if events.flags & UInt32(KVM_VCPUEVENT_VALID_TRIPLE_FAULT) != 0 {
      state.shutdownPending = events.triple_fault.pending != 0
    }
    return 0
  }

  func getDebugRegisters() -> kvm_debugregs {
    var registers = kvm_debugregs()
    registers.db.0 = guestDebugAddress(0)
    registers.db.1 = guestDebugAddress(1)
    registers.db.2 = guestDebugAddress(2)
    registers.db.3 = guestDebugAddress(3)
    registers.dr6 = guestDR6
    registers.dr7 = guestDR7
    return registers
  }

  func setDebugRegisters(_ registers: kvm_debugregs) -> Int64 {
    guard registers.flags == 0, registers.dr6 >> 32 == 0, registers.dr7 >> 32 == 0 else {
      return -EINVAL_
    }
    setGuestDebugAddress(0, registers.db.0)
    setGuestDebugAddress(1, registers.db.1)
    setGuestDebugAddress(2, registers.db.2)
    setGuestDebugAddress(3, registers.db.3)
    guestDR6 = registers.dr6
    guestDR7 = registers.dr7
    return 0
  }
}
