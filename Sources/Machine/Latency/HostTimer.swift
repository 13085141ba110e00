// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// A thread of the host that sleeps until a moment, and notes by how much it woke up too late, again and again: what
/// cyclictest does.
final class HostTimer: Sendable {
  private let cpu: Int
  /// Nanoseconds.
  private let interval: UInt64
  private let samples = Mutex<[UInt64]>([])
  private let stops = Atomic(false)
  private let problems = Mutex<[String]>([])

  static let priority: Int32 = 80

  init(cpu: Int, interval: UInt64) {
    self.cpu = cpu
    self.interval = interval
  }

  var shortcomings: [String] { problems.withLock { $0 } }

  func stop() { stops.store(true, ordering: .relaxed) }

  /// In nanoseconds, since the last time.
  func drain() -> [UInt64] {
    samples.withLock { samples in
      defer { samples.removeAll(keepingCapacity: true) }
      return samples
    }
  }

  /// The thread's whole life.
  func run() {
    if !Thread.stay(onCPU: cpu) { note("the thread could not stay on CPU \(cpu)") }
    var parameters = sched_param(sched_priority: Self.priority)
    if pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) != 0 {
      note("the thread has no real-time priority: run as root")
    }
    if mlockall(MCL_CURRENT | MCL_FUTURE) != 0 { note("memory could not be locked: run as root") }
    defer { munlockall() }
    var next = Self.now + interval
    while !stops.load(ordering: .relaxed) {
      var moment = timespec(
        tv_sec: Int(next / 1_000_000_000), tv_nsec: Int(next % 1_000_000_000))
      // A signal that interrupts it asks for the end.
      guard clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, nil) == 0 else { continue }
      let now = Self.now
      samples.withLock { $0.append(now > next ? now - next : 0) }
      next += interval
      // A moment that is over already is not waited for.
      if next < now + interval / 4 { next = now + interval }
    }
  }

  private func note(_ problem: String) { problems.withLock { $0.append(problem) } }

  private static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
