// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxCalls

/// Waits for the run's end: input for the guest, signals, or an outcome from its vCPUs.
struct EventLoop {
  let control: RunControl
  let terminal: ConsoleTerminal?
  let console: UART

  /// Input that waits for the guest: beyond it the rest waits outside.
  static let mostWaiting = 4096

  func run() -> RunOutcome {
    var set = EndSignals.set
    let signals = signalfd(-1, &set, Int32(SFD_CLOEXEC))
    defer { close(signals) }
    var input = terminal?.input
    while true {
      let isFull = console.waitingCount > Self.mostWaiting
      var sources = [
        pollfd(fd: control.event, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
        pollfd(fd: isFull ? -1 : input ?? -1, events: Int16(POLLIN), revents: 0),
      ]
      // Milliseconds: nothing tells when the guest has read.
      _ = poll(&sources, UInt(sources.count), isFull ? 20 : -1)
      if let outcome = control.outcome { return outcome }
      if sources[1].revents != 0 {
        var information = signalfd_siginfo()
        _ = read(signals, &information, MemoryLayout<signalfd_siginfo>.size)
        return .signal(Int32(information.ssi_signo))
      }
      if sources[2].revents != 0, let terminal {
        switch terminal.read() {
        case .bytes(let bytes): console.receive(bytes)
        case .quit: return .quit
        case .end: input = nil
        }
      }
    }
  }
}
