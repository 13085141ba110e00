// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxCalls

/// Waits for the run's end: input for the guest, signals, or an outcome from its vCPUs.
struct EventLoop {
  let control: RunControl
  let terminal: Terminal?
  let receive: (_ input: [UInt8]) -> Void

  /// Signals that end a run. They are blocked in every thread and read from a descriptor.
  static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

  func run() -> Outcome {
    var set = sigset_t()
    var previous = sigset_t()
    sigemptyset(&set)
    for signal in Self.signals { sigaddset(&set, signal) }
    pthread_sigmask(SIG_BLOCK, &set, &previous)
    let signals = signalfd(-1, &set, Int32(SFD_CLOEXEC))
    defer {
      close(signals)
      pthread_sigmask(SIG_SETMASK, &previous, nil)
    }

    let input = pollfd(fd: terminal == nil ? -1 : STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    var sources = [
      pollfd(fd: control.event, events: Int16(POLLIN), revents: 0),
      pollfd(fd: signals, events: Int16(POLLIN), revents: 0), input,
    ]
    while true {
      _ = poll(&sources, UInt(sources.count), -1)
      if let outcome = control.outcome { return outcome }
      if sources[1].revents != 0 {
        var information = signalfd_siginfo()
        _ = read(signals, &information, MemoryLayout<signalfd_siginfo>.size)
        return .signal(Int32(information.ssi_signo))
      }
      if sources[2].revents != 0, let terminal {
        switch terminal.read() {
        case .bytes(let bytes): receive(bytes)
        case .quit: return .quit
        case .end: sources[2].fd = -1
        }
      }
    }
  }

  /// Blocks the signals in the calling thread, and in those that it starts afterwards.
  static func blockSignals() {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
    signal(SIGPIPE, SIG_IGN)
  }
}
