// SPDX-License-Identifier: Apache-2.0
import HostileCalls

/// Arguments that are almost right: they come further than noise does.
extension Worker {
  mutating func argument(for request: Request) -> UInt64 {
    if request.number == Self.passPorts { return harmlessPorts() }
    switch request.argument {
    case .number: return number(for: request)
    case .pointer, .table:
      if generator.once(in: 4) { return arena.hostileAddress(&generator, targets) }
      arena.fill(&generator)
      shape(for: request)
      return arena.address
    }
  }

  private mutating func number(for request: Request) -> UInt64 {
    if generator.once(in: 20) { return generator.next() }
    switch request.name {
    case "KVM_SET_LENT_CPU": return UInt64(generator.below(options.cpus))
    case "KVM_CREATE_VCPU": return UInt64(generator.below(20))
    case "KVM_CHECK_EXTENSION": return UInt64(generator.below(300))
    default: return generator.once(in: 8) ? generator.next() >> generator.next() % 64 : 0
    }
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
      arena.store(UInt32(generator.below(26)))
      arena.store(UInt32(generator.below(2)), at: 4)
    case "KVM_SIGNAL_MSI": arena.store(message())
    case "KVM_SET_GSI_ROUTING": shapeRouting()
    case "KVM_SET_MP_STATE": if generator.once(in: 2) { arena.store(UInt32(0)) }
    case "KVM_GET_IRQCHIP", "KVM_SET_IRQCHIP": arena.store(UInt32(generator.below(4)))
    case "KVM_SET_SIGNAL_MASK": shapeSignalMask()
    case "KVM_GET_MSRS", "KVM_SET_MSRS": shapeMSRs()
    default:
      if request.argument == .table { arena.store(count()) }
    }
  }

  /// Small, at the limits of the payload, and wrong.
  private mutating func count() -> UInt32 {
    switch generator.below(6) {
    case 0: 0
    case 1: UInt32.max
    case 2: UInt32(truncatingIfNeeded: generator.next())
    case 3: UInt32(400 + generator.below(700))
    default: UInt32(generator.below(100))
    }
  }

  /// Overlapping, huge, wrapping, misaligned, of memory that is not there.
  private mutating func region() -> kvm_userspace_memory_region {
    let step = UInt64(GuestMemory.size / 4)
    var region = kvm_userspace_memory_region()
    region.slot = UInt32(generator.below(6))
    region.guest_phys_addr = UInt64(generator.below(8)) * step
    region.memory_size = UInt64(generator.below(5)) * step
    let base = generator.once(in: 4) ? targets.memory.fileAddress : targets.memory.address
    region.userspace_addr = UInt64(base) + UInt64(generator.below(4)) * step
    if generator.once(in: 8) { region.flags = UInt32(generator.below(8)) }
    switch generator.below(16) {
    case 0: region.guest_phys_addr &+= generator.next()
    case 1: region.guest_phys_addr = 0 &- step
    case 2: region.memory_size &+= generator.next()
    case 3: region.memory_size = 1 << (20 + generator.next() % 44)
    case 4: region.userspace_addr = arena.hostileAddress(&generator, targets) & ~0xfff
    case 5: region.userspace_addr &+= generator.next() % 4096
    case 6: region.slot = UInt32(truncatingIfNeeded: generator.next())
    default: break
    }
    return region
  }

  private mutating func message() -> kvm_msi {
    var message = kvm_msi()
    message.address_lo = 0xfee0_0000 | UInt32(generator.below(4)) << 12
    message.data = UInt32(generator.below(256))
    switch generator.below(8) {
    case 0: message.data = UInt32(truncatingIfNeeded: generator.next())
    case 1: message.address_lo = UInt32(truncatingIfNeeded: generator.next())
    case 2: message.address_hi = UInt32(truncatingIfNeeded: generator.next())
    default: break
    }
    return message
  }

  private mutating func shapeRouting() {
    arena.store(generator.once(in: 2) ? UInt32(generator.below(80)) : count())
    arena.store(UInt32(generator.below(20) / 19), at: 4)
    for index in 0..<80 where !generator.once(in: 30) {
      var entry = kvm_irq_routing_entry()
      entry.gsi = UInt32(index % 26)
      entry.type = UInt32(1 + generator.below(100) / 50)
      entry.u.irqchip.irqchip = UInt32(index < 16 ? index / 8 : 2)
      entry.u.irqchip.pin = UInt32(index < 16 ? index % 8 : index % 24)
      arena.store(entry, at: 8 + index * MemoryLayout<kvm_irq_routing_entry>.stride)
    }
  }

  /// The signal that ends KVM_RUN stays open: otherwise nothing would.
  private mutating func shapeSignalMask() {
    arena.store(UInt32(generator.once(in: 4) ? generator.below(64) : 8))
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
      entry.index =
        generator.once(in: 4)
        ? UInt32(truncatingIfNeeded: generator.next()) : generator.element(of: known)
      entry.data = generator.next() >> generator.next() % 64
      arena.store(entry, at: 8 + index * MemoryLayout<kvm_msr_entry>.stride)
    }
  }
}
