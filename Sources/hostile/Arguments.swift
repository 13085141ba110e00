// SPDX-License-Identifier: Apache-2.0
import HostileCalls

/// Arguments that are almost right: they come further than noise does.
extension Worker {
  mutating func argument(for request: Request) -> UInt64 {
    if request.number == Self.passPorts { return harmlessPorts() }
    switch request.argument {
    case .number: return request.name == "KVM_SET_LENT_CPU" ? numbers.next(&generator) : number()
    case .pointer, .table:
      if generator.once(in: 4) { return arena.hostileAddress(&generator, targets) }
      arena.fill(&generator)
      shape(for: request)
      return arena.address
    }
  }

  /// Half of them 0: many requests take no argument, and do nothing if they get one.
  private mutating func number() -> UInt64 {
    generator.once(in: 2) ? 0 : numbers.next(&generator)
  }

  /// `usual`, or one time in four any number.
  mutating func mostly(_ usual: Int) -> UInt64 {
    generator.once(in: 4) ? numbers.next(&generator) : UInt64(usual)
  }

  mutating func mostly(_ usual: Int) -> UInt32 {
    let number: UInt64 = mostly(usual)
    return UInt32(truncatingIfNeeded: number)
  }

  /// Ports that no device of the machine has, and ranges that nobody may have.
  private mutating func harmlessPorts() -> UInt64 {
    if generator.once(in: 3) {
      // Nowhere in memory that could hold an acceptable range.
      return generator.once(in: 2) ? 0 : 0xffff_ffff_8100_0000
    }
    var ports = apus_ports()
    ports.first = UInt16(0x4000 + generator.below(0xf00))
    ports.count = UInt16(generator.below(16))
    if generator.once(in: 4) { (ports.first, ports.count) = (0xfff0, 0xffff) }
    if generator.once(in: 4) { ports.flags = UInt32(truncatingIfNeeded: generator.next()) | 1 }
    arena.store(ports)
    return arena.address
  }

  private mutating func shape(for request: Request) {
    switch request.name {
    case "KVM_SET_USER_MEMORY_REGION": if !generator.once(in: 4) { arena.store(region()) }
    case "KVM_IRQ_LINE", "KVM_IRQ_LINE_STATUS":
      arena.store(mostly(generator.below(26)) as UInt32)
      arena.store(mostly(generator.below(2)) as UInt32, at: 4)
    case "KVM_SIGNAL_MSI": arena.store(message())
    case "KVM_SET_GSI_ROUTING": shapeRouting()
    case "KVM_SET_MP_STATE": if generator.once(in: 2) { arena.store(UInt32(0)) }
    case "KVM_GET_IRQCHIP", "KVM_SET_IRQCHIP": arena.store(mostly(generator.below(4)) as UInt32)
    case "KVM_IRQFD": arena.store(interruptEvent())
    case "KVM_IOEVENTFD": arena.store(notification())
    case "KVM_GET_DIRTY_LOG": arena.store(dirtyLog())
    case "KVM_CLEAR_DIRTY_LOG": arena.store(cleanedLog())
    case "KVM_ENABLE_CAP": arena.store(capability())
    case "KVM_X86_SETUP_MCE": arena.store(mostly(generator.below(40)) as UInt64)
    case "KVM_X86_SET_MCE": shapeMachineCheck()
    case "KVM_SET_SIGNAL_MASK": shapeSignalMask()
    case "KVM_GET_MSRS", "KVM_SET_MSRS": shapeMSRs()
    default:
      if request.argument == .table { arena.store(count()) }
    }
  }

  /// Small, at the limits of the payload, and wrong.
  private mutating func count() -> UInt32 {
    mostly(generator.once(in: 3) ? 400 + generator.below(700) : generator.below(100))
  }

  /// Overlapping, huge, wrapping, misaligned, of memory that is not there.
  private mutating func region() -> kvm_userspace_memory_region {
    let step = UInt64(GuestMemory.size / 4)
    var region = kvm_userspace_memory_region()
    region.slot = mostly(generator.below(6))
    region.guest_phys_addr = UInt64(generator.below(8)) * step
    region.memory_size = UInt64(generator.below(5)) * step
    let base = generator.once(in: 4) ? targets.memory.fileAddress : targets.memory.address
    region.userspace_addr = UInt64(base) + UInt64(generator.below(4)) * step
    if generator.once(in: 3) { region.flags = mostly(generator.below(4)) }
    switch generator.below(16) {
    case 0: region.guest_phys_addr &+= generator.next()
    case 1: region.guest_phys_addr = 0 &- step
    case 2: region.memory_size &+= generator.next()
    case 3: region.memory_size = 1 << (20 + generator.next() % 44)
    case 4: region.userspace_addr = arena.hostileAddress(&generator, targets) & ~0xfff
    case 5: region.userspace_addr &+= generator.next() % 4096
    case 6: region.guest_phys_addr = numbers.next(&generator)
    case 7: region.memory_size = numbers.next(&generator)
    default: break
    }
    return region
  }

  private mutating func message() -> kvm_msi {
    var message = kvm_msi()
    let target: UInt32 = mostly(generator.below(4))
    message.address_lo = mostly(Int(0xfee0_0000 | target << 12))
    message.data = mostly(generator.below(256))
    if generator.once(in: 8) { message.address_hi = mostly(1) }
    if generator.once(in: 8) { message.flags = mostly(1) }
    return message
  }

  private mutating func shapeRouting() {
    arena.store(generator.once(in: 2) ? UInt32(generator.below(80)) : count())
    arena.store(UInt32(generator.below(20) / 19), at: 4)
    for index in 0..<80 where !generator.once(in: 30) {
      var entry = kvm_irq_routing_entry()
      let wild = generator.once(in: 40)
      entry.gsi = wild ? mostly(0) : UInt32(index % 26)
      entry.type = wild ? mostly(1) : UInt32(1 + generator.below(100) / 50)
      entry.u.irqchip.irqchip = wild ? mostly(2) : UInt32(index < 16 ? index / 8 : 2)
      entry.u.irqchip.pin = wild ? mostly(3) : UInt32(index < 16 ? index % 8 : index % 24)
      arena.store(entry, at: 8 + index * MemoryLayout<kvm_irq_routing_entry>.stride)
    }
  }

  /// The signal that ends KVM_RUN stays open: otherwise nothing would.
  private mutating func shapeSignalMask() {
    arena.store(mostly(8) as UInt32)
    arena.store(generator.next() & ~(1 << (UInt64(Worker.wakeUp) - 1)), at: 4)
  }

  private mutating func shapeMSRs() {
    arena.store(generator.once(in: 2) ? UInt32(generator.below(200)) : count())
    let known: [UInt32] = [
      0x10, 0x1b, 0x3a, 0x174, 0x175, 0x176, 0x1d9, 0x277, 0x2ff, 0x6e0, 0x808, 0x830, 0x832, 0x838,
      0x4b56_4d00, 0x4b56_4d01, 0xc000_0080, 0xc000_0081, 0xc000_0100, 0xc000_0102, 0xc001_0114,
    ]
    for index in 0..<200 where !generator.once(in: 20) {
      var entry = kvm_msr_entry()
      entry.index = mostly(Int(generator.element(of: known)))
      entry.data = generator.next() >> generator.next() % 64
      arena.store(entry, at: 8 + index * MemoryLayout<kvm_msr_entry>.stride)
    }
  }
}
