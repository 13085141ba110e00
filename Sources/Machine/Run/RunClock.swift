// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Time since the guest's first instruction.
final class RunClock: Sendable {
  private let begin = Mutex<ContinuousClock.Instant?>(nil)

  func start() { begin.withLock { $0 = .now } }

  var elapsed: Duration { begin.withLock { $0.map { .now - $0 } ?? .zero } }
}
