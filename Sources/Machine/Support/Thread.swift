// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxCalls
import Synchronization
import SystemPackage

/// A POSIX thread that can be interrupted in a system call.
final class Thread: @unchecked Sendable {
  // Written once by init before the thread can end, read by its creator only.
  private var handle = pthread_t()
  private let body: @Sendable () -> Void
  private let ended = Atomic(false)

  /// Interrupts a system call of the thread; does nothing else.
  private static let kickSignal = SIGUSR1

  /// The thread begins at once. It must be stopped.
  init(_ body: @escaping @Sendable () -> Void) throws(Errno) {
    self.body = body
    Self.prepareSignal
    let context = Unmanaged.passRetained(self)
    let result = pthread_create(
      &handle, nil,
      { context in
        guard let context else { return nil }
        let thread = Unmanaged<Thread>.fromOpaque(context).takeRetainedValue()
        Thread.admitSignal()
        thread.body()
        thread.ended.store(true, ordering: .releasing)
        return nil
      }, context.toOpaque())
    guard result == 0 else {
      context.release()
      throw Errno(rawValue: result)
    }
  }

  private static let prepareSignal: Void = {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    sigaction(kickSignal, &action, nil)
  }()

  /// The creator may have blocked every signal, as Dispatch's workers do.
  private static func admitSignal() {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, kickSignal)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  /// Waits for the thread's end, and interrupts it again and again until then: one signal may
  /// come just before a system call begins.
  func stop() { Self.stop([self]) }

  /// Stops all of them at once: one may wait for what another holds in a system call.
  static func stop(_ threads: [Thread]) {
    while true {
      let running = threads.filter { !$0.ended.load(ordering: .acquiring) }
      if running.isEmpty { break }
      for thread in running { pthread_kill(thread.handle, kickSignal) }
      usleep(1_000)
    }
    for thread in threads { pthread_join(thread.handle, nil) }
  }

  /// Interrupts a system call of one of these threads.
  static func interrupt(_ handle: pthread_t) { pthread_kill(handle, kickSignal) }

  /// Binds the calling thread to a CPU.
  static func stay(onCPU cpu: Int) -> Bool { bindThread(toCPU: Int32(cpu)) == 0 }
}
