// SPDX-License-Identifier: Apache-2.0
import Contract
import Guests
import X86

/// The registers that a guest starts with, by way of the client's ioctls.
extension VirtualCPU {
  func start(_ guest: GuestImage.Guest, x2APIC: Bool) throws(Failure) {
    try offerCPUID()
    var special = try get("KVM_GET_SREGS", KVM_GET_SREGS_, as: kvm_sregs.self)
    var registers = kvm_regs()
    registers.rflags = 2
    registers.rsp = UInt64(GUEST_STACK)
    if guest.startsInLongMode {
      setLongMode(&special)
      registers.rip = guest.start
    } else {
      special.cs.selector = UInt16(GUEST_IMAGE >> 4)
      special.cs.base = UInt64(GUEST_IMAGE)
      registers.rip = guest.start - UInt64(GUEST_IMAGE)
    }
    // An earlier guest on this vCPU may have moved its APIC, or have sent it into an INIT that no start-up
    // ends.
    special.apic_base =
      APICBase.defaultAddress | APICBase.globalEnable
      | special.apic_base & APICBase.bootstrapProcessor | (x2APIC ? APICBase.x2APICEnable : 0)
    try set(
      "KVM_SET_MP_STATE", KVM_SET_MP_STATE_,
      kvm_mp_state(mp_state: UInt32(KVM_MP_STATE_RUNNABLE)))
    // What it was about to be interrupted by is not this one's, nor are its breakpoints.
    var events = kvm_vcpu_events()
    events.flags = UInt32(KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW)
    try set("KVM_SET_VCPU_EVENTS", KVM_SET_VCPU_EVENTS_, events)
    var debug = kvm_debugregs()
    debug.dr6 = 0xffff_0ff0
    debug.dr7 = 0x400
    try set("KVM_SET_DEBUGREGS", KVM_SET_DEBUGREGS_, debug)
    try set("KVM_SET_SREGS", KVM_SET_SREGS_, special)
    try set("KVM_SET_REGS", KVM_SET_REGS_, registers)
  }

  private func setLongMode(_ special: inout kvm_sregs) {
    var code = kvm_segment()
    code.selector = UInt16(GUEST_CODE64)
    code.limit = 0xffff_ffff
    code.type = 0xb
    code.present = 1
    code.s = 1
    code.l = 1
    code.g = 1
    var data = code
    data.selector = UInt16(GUEST_DATA)
    data.type = 3
    data.l = 0
    data.db = 1
    special.cs = code
    special.ds = data
    special.es = data
    special.fs = data
    special.gs = data
    special.ss = data
    special.gdt.base = UInt64(GUEST_GDT)
    special.gdt.limit = 0x1f
    special.idt.limit = 0
    special.cr0 = (CR0([.paging, .protectionEnable]).rawValue) | special.cr0 & 0x10
    special.cr3 = UInt64(GUEST_PAGE_TABLES)
    special.cr4 = CR4.physicalAddressExtension.rawValue
    special.efer = EFER([.longModeEnable, .longModeActive]).rawValue
  }
}
