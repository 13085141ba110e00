// SPDX-License-Identifier: Apache-2.0
import HostileCalls

/// Arguments of requests that take an eventfd.
extension Worker {
  /// Mostly an eventfd; sometimes another file, or none.
  private mutating func event() -> Int32 {
    if generator.once(in: 16) { return Int32(truncatingIfNeeded: numbers.next(&generator)) }
    return generator.element(of: generator.once(in: 8) ? targets.all : targets.events)
  }

  mutating func interruptEvent() -> kvm_irqfd {
    var argument = kvm_irqfd()
    argument.fd = UInt32(bitPattern: event())
    argument.gsi = mostly(generator.below(26))
    argument.flags = mostly(generator.below(4))
    argument.resamplefd = UInt32(bitPattern: event())
    return argument
  }

  /// Half of them where the guest writes, so that its writes signal an eventfd.
  mutating func notification() -> kvm_ioeventfd {
    var argument = kvm_ioeventfd()
    let ports = generator.once(in: 2)
    argument.addr = mostly(
      ports ? Int(GuestMemory.port) : generator.below(8) * GuestMemory.size + generator.below(64))
    argument.datamatch = mostly(generator.below(4))
    argument.len = mostly(generator.element(of: [0, 1, 1, 2, 4, 8]))
    argument.fd = event()
    argument.flags = mostly(generator.below(8) & ~2 | (ports ? 2 : 0))
    return argument
  }
}
