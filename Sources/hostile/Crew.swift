// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls
import Synchronization

/// The threads of workers, from their start to the end of the last one.
final class Crew: @unchecked Sendable {
  private let options: Options
  private let targets: Targets
  private let stop = Atomic<Bool>(false)
  private let finished = Atomic<Int>(0)
  /// Of all threads.
  private let calls = Atomic<Int>(0)
  private let lock = Mutex(Sum())
  /// What each thread is calling, by the request's index; read when one does not come back.
  private let current: UnsafeMutableBufferPointer<Int>

  struct Sum {
    var tally = Tally()
    var childrensSuccesses = 0
  }

  init(options: Options, targets: Targets) {
    self.options = options
    self.targets = targets
    current = .allocate(capacity: options.threads)
    current.initialize(repeating: 0)
  }

  /// Calls for `options.seconds`, or until there were `options.calls`; nil if some thread never came back, which has been said then.
  func run() -> Sum? {
    var threads: [pthread_t] = []
    for index in 0..<options.threads {
      var thread = pthread_t()
      let start = Start(crew: self, index: index)
      let argument = Unmanaged.passRetained(start).toOpaque()
      let error = pthread_create(
        &thread, nil,
        { argument in
          guard let argument else { return nil }
          let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
          start.crew.work(start.index)
          return nil
        }, argument)
      if error == 0 { threads.append(thread) }
    }
    wake(threads, for: options.seconds) {
      self.options.calls > 0 && self.calls.load(ordering: .relaxed) >= self.options.calls
    }
    stop.store(true, ordering: .releasing)
    // A CPU that is taken back by force takes seconds, and each thread may wait for some.
    let stopped = wake(threads, for: 30) {
      self.finished.load(ordering: .acquiring) == threads.count
    }
    guard stopped else {
      for index in threads.indices where current[index] >= 0 {
        print("stuck: thread \(index) in \(Request.all[current[index]].name)")
      }
      return nil
    }
    return lock.withLock { $0 }
  }

  /// Interrupts the threads, one every few milliseconds, until `done` or for some seconds.
  @discardableResult
  private func wake(_ threads: [pthread_t], for seconds: Int, until done: () -> Bool) -> Bool {
    let start = Self.now
    var next = 0
    while Self.now - start < seconds * 1000 {
      if done() { return true }
      pthread_kill(threads[next % threads.count], Worker.wakeUp)
      next += 1
      usleep(3000)
    }
    return done()
  }

  private func work(_ index: Int) {
    if var worker = Worker(index, options: options, targets: targets) {
      while !stop.load(ordering: .acquiring) {
        let before = worker.tally.calls
        worker.step { current[index] = $0 }
        calls.add(worker.tally.calls - before, ordering: .relaxed)
      }
      let (tally, successes) = (worker.tally, worker.childrensSuccesses)
      lock.withLock {
        $0.tally.add(tally)
        $0.childrensSuccesses += successes
      }
    }
    current[index] = -1
    finished.add(1, ordering: .acquiringAndReleasing)
  }

  /// In milliseconds.
  private static var now: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  private final class Start: Sendable {
    let crew: Crew
    let index: Int
    init(crew: Crew, index: Int) {
      self.crew = crew
      self.index = index
    }
  }
}
