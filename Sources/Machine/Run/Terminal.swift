// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The user's end of the guest's console: standard input and output.
final class Terminal: @unchecked Sendable {
  // `saved` and `escape` belong to the event loop's thread; output is a system call.
  private var saved: termios?
  private var escape = ConsoleEscape()
  private let control: RunControl

  init(control: RunControl) { self.control = control }

  private static var isInForeground: Bool { tcgetpgrp(STDIN_FILENO) == getpgrp() }

  /// Takes a terminal out of line mode, so that the guest sees every key. A process in the
  /// background of its terminal does not touch it: it would be stopped.
  func begin() {
    guard isatty(STDIN_FILENO) == 1, Self.isInForeground else { return }
    var settings = termios()
    guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return }
    saved = settings
    cfmakeraw(&settings)
    settings.c_oflag |= tcflag_t(OPOST)  // messages of ours end in a plain newline
    tcsetattr(STDIN_FILENO, TCSANOW, &settings)
  }

  var isRaw: Bool { saved != nil }

  /// Where input comes from; nil if there is none to read.
  var input: Int32? { isRaw || isatty(STDIN_FILENO) == 0 ? STDIN_FILENO : nil }

  /// Gives the terminal back as it was.
  func end() {
    guard var settings = saved else { return }
    saved = nil
    if Self.isInForeground { tcsetattr(STDIN_FILENO, TCSANOW, &settings) }
  }

  /// What was typed: bytes for the guest, the wish to quit, or the end of input.
  func read() -> ConsoleInput {
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
    guard count > 0 else {
      return count < 0 && (errno == EINTR || errno == EAGAIN) ? .bytes([]) : .end
    }
    // A pipe has no one to press keys: all of it is the guest's.
    guard isRaw else { return .bytes(Array(buffer[..<count])) }
    return escape.filter(buffer[..<count])
  }

  /// Shows a byte of the guest's. Waits for whoever reads, but not beyond the end of the run.
  func write(_ byte: UInt8) {
    var byte = byte
    repeat {
      if Glibc.write(STDOUT_FILENO, &byte, 1) == 1 { return }
      switch errno {
      case EINTR: break
      case EAGAIN:
        var output = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        _ = poll(&output, 1, 100)
      default: return  // no one reads any longer
      }
    } while control.outcome == nil
  }
}
