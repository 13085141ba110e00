// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxCalls
import Synchronization

/// Where devices and vCPUs say that the run is over, and the event loop hears of it.
final class RunControl: Sendable {
  private let state = Mutex<RunOutcome?>(nil)
  /// Readable once there is an outcome.
  let event: Int32

  init() {
    event = eventfd(0, Int32(EFD_CLOEXEC))
    precondition(event >= 0, "a descriptor is left")
  }

  deinit { close(event) }

  /// Ends the run. The first outcome counts.
  func finish(_ outcome: RunOutcome) {
    state.withLock { $0 = $0 ?? outcome }
    eventfd_write(event, 1)
  }

  var outcome: RunOutcome? { state.withLock { $0 } }
}
