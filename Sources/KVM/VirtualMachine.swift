// SPDX-License-Identifier: Apache-2.0
import Contract
import SystemPackage

/// A virtual machine's descriptor. Its calls may come from any thread.
public struct VirtualMachine: ~Copyable, Sendable {
  let owned: OwnedDescriptor
  /// Bytes of `struct kvm_run` and what follows it, for each vCPU.
  let runSize: Int

  init(_ owned: consuming OwnedDescriptor, runSize: Int) {
    self.owned = owned
    self.runSize = runSize
  }

  /// KVM_CREATE_VCPU. `id` is also the vCPU's APIC ID.
  public func createVirtualCPU(id: UInt32) throws(KVMError) -> VirtualCPU {
    let descriptor = try calling("KVM_CREATE_VCPU") { () throws(Errno) in
      try SystemCall.ioctl(owned.descriptor, KVM_CREATE_VCPU_, UInt(id))
    }
    return try VirtualCPU(OwnedDescriptor(descriptor), id: id, runSize: runSize)
  }

  /// KVM_ENABLE_CAP with KVM_CAP_APUS: a CPU will be named for each vCPU (`setLentCPU`), and none has one of
  /// the pool from its creation on. Only `/dev/apus`.
  public func nameCPUs() throws(KVMError) {
    var wanted = kvm_enable_cap()
    wanted.cap = UInt32(KVM_CAP_APUS)
    wanted.args.0 = UInt64(APUS_CLIENT_NAMES_CPUS)
    try calling("KVM_ENABLE_CAP") { () throws(Errno) in
      _ = try SystemCall.ioctl(owned.descriptor, KVM_ENABLE_CAP_, with: &wanted)
    }
  }

  /// KVM_SET_USER_MEMORY_REGION: the guest finds `size` bytes of `memory`, from `offset`, at
  /// `guestAddress`. The memory must stay mapped as long as the virtual machine lives.
  public func setMemory(
    slot: UInt32, guestAddress: UInt64, size: UInt64, memory: borrowing Mapping, offset: UInt64
  ) throws(KVMError) {
    var region = kvm_userspace_memory_region()
    region.slot = slot
    region.guest_phys_addr = guestAddress
    region.memory_size = size
    region.userspace_addr = UInt64(UInt(bitPattern: memory.address)) + offset
    try calling("KVM_SET_USER_MEMORY_REGION") { () throws(Errno) in
      _ = try SystemCall.ioctl(owned.descriptor, KVM_SET_USER_MEMORY_REGION_, with: &region)
    }
  }

  /// KVM_SET_TSS_ADDR: three pages of guest addresses that Intel's processors need for real mode.
  public func setTaskStateSegment(address: UInt64) throws(KVMError) {
    try calling("KVM_SET_TSS_ADDR") { () throws(Errno) in
      _ = try SystemCall.ioctl(owned.descriptor, KVM_SET_TSS_ADDR_, UInt(address))
    }
  }

  /// KVM_SET_IDENTITY_MAP_ADDR: one more such page.
  public func setIdentityMap(address: UInt64) throws(KVMError) {
    var address = address
    try calling("KVM_SET_IDENTITY_MAP_ADDR") { () throws(Errno) in
      _ = try SystemCall.ioctl(owned.descriptor, KVM_SET_IDENTITY_MAP_ADDR_, with: &address)
    }
  }

  /// KVM_CREATE_IRQCHIP: two PICs, an IOAPIC and a local APIC for each vCPU.
  public func createInterruptControllers() throws(KVMError) {
    try calling("KVM_CREATE_IRQCHIP") { () throws(Errno) in
      _ = try SystemCall.ioctl(owned.descriptor, KVM_CREATE_IRQCHIP_)
    }
  }

  /// KVM_CREATE_PIT2, with port 0x61 answered too (KVM_PIT_SPEAKER_DUMMY).
  public func createIntervalTimer() throws(KVMError) {
    var configuration = kvm_pit_config()
    configuration.flags = UInt32(KVM_PIT_SPEAKER_DUMMY)
    try calling("KVM_CREATE_PIT2") { () throws(Errno) in
      _ = try SystemCall.ioctl(owned.descriptor, KVM_CREATE_PIT2_, with: &configuration)
    }
  }

  /// KVM_IRQ_LINE: drives an interrupt line high or low.
  public func setInterruptLine(_ line: UInt32, high: Bool) throws(KVMError) {
    var level = kvm_irq_level()
    level.irq = line
    level.level = high ? 1 : 0
    try calling("KVM_IRQ_LINE") { () throws(Errno) in
      _ = try SystemCall.ioctl(owned.descriptor, KVM_IRQ_LINE_, with: &level)
    }
  }

  /// KVM_REGISTER_COALESCED_MMIO: writes to these ports wait in the ring.
  public func coalesceWrites(toPorts first: UInt16, count: UInt32) throws(KVMError) {
    var zone = kvm_coalesced_mmio_zone()
    zone.addr = UInt64(first)
    zone.size = count
    zone.pio = 1
    try calling("KVM_REGISTER_COALESCED_MMIO") { () throws(Errno) in
      _ = try SystemCall.ioctl(owned.descriptor, KVM_REGISTER_COALESCED_MMIO_, with: &zone)
    }
  }

  /// KVM_APUS_PASS_PORTS: the machine's own ports, for this guest alone. Only `/dev/apus`, after
  /// the first vCPU.
  public func passPorts(first: UInt16, count: UInt16) throws(KVMError) {
    var ports = apus_ports(first: first, count: count, flags: 0)
    try calling("KVM_APUS_PASS_PORTS") { () throws(Errno) in
      _ = try SystemCall.ioctl(owned.descriptor, KVM_APUS_PASS_PORTS_, with: &ports)
    }
  }

  /// KVM_SET_GSI_ROUTING, wired as on a PC: lines 0 to 15 reach the PICs, all 24 the IOAPIC's
  /// pins, and the interval timer's line 0 arrives at the IOAPIC's pin 2. Other lines are `messages`.
  public func routeInterruptLinesAsPC(messages: [InterruptMessage] = []) throws(KVMError) {
    var words = InterruptRouting.encode(InterruptRouting.pc, messages: messages)
    let descriptor = owned.descriptor
    try calling("KVM_SET_GSI_ROUTING") { () throws(Errno) in
      try words.withUnsafeMutableBufferPointer { buffer throws(Errno) in
        _ = try SystemCall.ioctl(
          descriptor, KVM_SET_GSI_ROUTING_, UInt(bitPattern: buffer.baseAddress))
      }
    }
  }
}
