// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Where devices and vCPUs say that the run is over, and the event loop hears of it.
final class RunControl: Sendable {
  private let state = Mutex<RunOutcome?>(nil)
  private let end = EventDescriptor.required()

  /// Readable once there is an outcome.
  var event: Int32 { end.descriptor.rawValue }

  /// Ends the run. The first outcome counts.
  func finish(_ outcome: RunOutcome) {
    state.withLock { $0 = $0 ?? outcome }
    end.signal()
  }

  var outcome: RunOutcome? { state.withLock { $0 } }
}
