// SPDX-License-Identifier: Apache-2.0
import KVM
import Synchronization

/// Brings the guest's coalesced writes to their devices, in the guest's order. Every vCPU's thread
/// does so before it serves an exit, and a thread of its own (`WriteCollector`) now and then.
final class WaitingWrites: Sendable {
  private let bus: Buses
  /// Held until the device has the write: who comes second comes after it.
  private let delivery = Mutex(())

  init(bus: Buses) { self.bus = bus }

  /// All that wait in `ring` when it is called; each vCPU has the same ring in a mapping of its own.
  func deliver(from ring: CoalescedRing) {
    // Writes stay in the ring until they are delivered, so an empty one needs no lock.
    guard !ring.isEmpty else { return }
    delivery.withLock { _ in
      ring.drain { write in
        let space = write.isPort ? bus.ports : bus.memory
        space.write(write.address, write.value, size: write.size)
      }
    }
  }
}
