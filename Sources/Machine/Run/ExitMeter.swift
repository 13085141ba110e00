// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The exits of all vCPUs together. Devices are made before the vCPUs that it counts.
final class ExitMeter: Sendable {
  private let read = Mutex<@Sendable () -> ExitCounts>({ .none })

  func attach(_ processors: [Processor]) {
    // Weak: a vCPU has the devices, and one of them has this meter.
    let counters = processors.map { processor in
      { @Sendable [weak processor] in processor?.exits() ?? .none }
    }
    read.withLock { $0 = { counters.reduce(.none) { $0 + $1() } } }
  }

  var exits: ExitCounts { read.withLock { $0 }() }
}
