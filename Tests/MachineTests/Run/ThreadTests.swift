// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
import Testing

@testable import Machine

@Suite("A thread")
struct ThreadTests {
  private final class Flags: Sendable {
    let entered = Atomic(false)
    let stop = Atomic(false)
    let interruptions = Atomic(0)
  }

  @Test("is interrupted in a system call that would last a minute", .timeLimit(.minutes(2)))
  func stop() throws {
    let flags = Flags()
    let thread = try Machine.Thread {
      flags.entered.store(true, ordering: .releasing)
      while !flags.stop.load(ordering: .acquiring) {
        if poll(nil, 0, 60_000) < 0, errno == EINTR {
          flags.interruptions.add(1, ordering: .relaxed)
        }
      }
    }
    while !flags.entered.load(ordering: .acquiring) { usleep(100) }
    usleep(10_000)  // into the system call, most likely
    flags.stop.store(true, ordering: .releasing)
    let clock = ContinuousClock()
    let elapsed = clock.measure { thread.stop() }
    #expect(elapsed < .seconds(30))
  }

  @Test("is stopped although it waits for what another has locked", .timeLimit(.minutes(2)))
  func together() throws {
    let flags = Flags()
    let lock = Mutex(())
    let threads = try (0..<3).map { _ in
      try Machine.Thread {
        lock.withLock { _ in
          flags.entered.store(true, ordering: .releasing)
          while !flags.stop.load(ordering: .acquiring) { poll(nil, 0, 60_000) }
        }
      }
    }
    while !flags.entered.load(ordering: .acquiring) { usleep(100) }
    flags.stop.store(true, ordering: .releasing)
    let clock = ContinuousClock()
    #expect(clock.measure { Machine.Thread.stop(threads) } < .seconds(30))
  }

  @Test("ends by itself, and stopping it afterwards returns")
  func ended() throws {
    let flags = Flags()
    let thread = try Machine.Thread { flags.interruptions.store(7, ordering: .releasing) }
    thread.stop()
    let value = flags.interruptions.load(ordering: .acquiring)
    #expect(value == 7)
  }
}
