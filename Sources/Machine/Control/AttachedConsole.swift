// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxCalls

/// `apus console`: standard input and output at a running guest's console.
public final class AttachedConsole {
  public enum End: Equatable, Sendable {
    /// The user left; the guest goes on.
    case left
    case guestEnded
    case signal(Int32)
  }

  private let connection: ControlConnection
  /// Bytes of what the guest wrote before.
  private let kept: Int
  private var escape = ConsoleEscape()
  private var unsent: ArraySlice<UInt8> = []

  public init(_ connection: ControlConnection) throws(ControlError) {
    self.connection = connection
    let answer = try connection.answer(to: .console)
    kept = Int(clamping: answer.kept ?? 0)
  }

  /// What the guest wrote before, and no more.
  public func scrollback() -> [UInt8] {
    var bytes = Array(connection.takeRest())
    let deadline = ContinuousClock.now + ControlConnection.patience
    while bytes.count < kept, ContinuousClock.now < deadline {
      var source = pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&source, 1, 100) > 0 else { continue }
      guard let part = Self.read(connection.descriptor) else { break }
      bytes += part
    }
    return Array(bytes.prefix(kept))
  }

  /// Shows what the guest writes and sends what is typed. `begun` is told whether keys are.
  public func run(begun: (_ isRaw: Bool) -> Void) -> End {
    EndSignals.block()
    var set = EndSignals.set
    let signals = signalfd(-1, &set, Int32(SFD_CLOEXEC))
    defer { close(signals) }
    let rawMode = RawMode()
    defer { rawMode?.end() }
    begun(rawMode != nil)
    // A terminal in whose background this runs is not read.
    var input: Int32? = rawMode != nil || isatty(STDIN_FILENO) == 0 ? STDIN_FILENO : nil
    guard Self.show(connection.takeRest()) else { return .left }
    while true {
      var sources = [
        pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
        pollfd(
          fd: connection.descriptor, events: Int16(unsent.isEmpty ? POLLIN : POLLIN | POLLOUT),
          revents: 0),
        pollfd(fd: unsent.isEmpty ? input ?? -1 : -1, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&sources, UInt(sources.count), -1) > 0 else { continue }
      if sources[0].revents != 0 {
        var information = signalfd_siginfo()
        _ = Glibc.read(signals, &information, MemoryLayout<signalfd_siginfo>.size)
        return .signal(Int32(information.ssi_signo))
      }
      if sources[1].revents & Int16(POLLOUT) != 0 { send() }
      if sources[1].revents & ~Int16(POLLOUT) != 0 {
        guard let bytes = Self.read(connection.descriptor) else { return .guestEnded }
        guard Self.show(bytes[...]) else { return .left }
      }
      if sources[2].revents != 0 {
        guard let bytes = Self.read(STDIN_FILENO) else {
          input = nil
          continue
        }
        // A pipe has no one to press keys: all of it is the guest's.
        switch rawMode == nil ? .bytes(bytes) : escape.filter(bytes) {
        case .bytes(let typed): unsent = typed[...]
        case .quit, .end: return .left
        }
        send()
      }
    }
  }

  private func send() {
    while !unsent.isEmpty {
      let bytes = Array(unsent)
      let count = Glibc.send(
        connection.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
      guard count > 0 else {
        // The end of the connection is seen where it is read.
        if count < 0, errno != EAGAIN, errno != EINTR { unsent = [] }
        return
      }
      unsent.removeFirst(count)
    }
  }

  /// Nil at the end; nothing if there is nothing yet.
  private static func read(_ descriptor: Int32) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    let count = Glibc.read(descriptor, &buffer, buffer.count)
    if count > 0 { return Array(buffer[..<count]) }
    return count < 0 && (errno == EAGAIN || errno == EINTR) ? [] : nil
  }

  /// False if nobody reads any longer.
  private static func show(_ bytes: ArraySlice<UInt8>) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let part = Array(rest)
      let count = write(STDOUT_FILENO, part, part.count)
      if count > 0 {
        rest.removeFirst(count)
      } else if count < 0, errno == EAGAIN {
        var output = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        _ = poll(&output, 1, 100)
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }
}
