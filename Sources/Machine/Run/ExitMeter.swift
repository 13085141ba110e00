// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The exits of all vCPUs together. Devices are made before the vCPUs that it counts.
final class ExitMeter: Sendable {
  private let read = Mutex<@Sendable () -> ExitCounts>({ .none })

  func attach(_ virtualCPUs: [VirtualCPUThread]) {
    // Weak: a vCPU has the devices, and one of them has this meter.
    let counters = virtualCPUs.map { virtualCPU in
      { @Sendable [weak virtualCPU] in virtualCPU?.exits() ?? .none }
    }
    read.withLock { $0 = { counters.reduce(.none) { $0 + $1() } } }
  }

  var exits: ExitCounts { read.withLock { $0 }() }
}
