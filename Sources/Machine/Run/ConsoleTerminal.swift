// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The user's end of the guest's console: standard input and output.
final class ConsoleTerminal: @unchecked Sendable {
  // `rawMode` and `escape` belong to the event loop's thread; output is a system call.
  private var rawMode: RawMode?
  private var escape = ConsoleEscape()
  private let control: RunControl

  init(control: RunControl) { self.control = control }

  /// Takes a terminal out of line mode, so that the guest sees every key. A process in the
  /// background of its terminal does not touch it: it would be stopped.
  func begin() { rawMode = RawMode() }

  var isRaw: Bool { rawMode != nil }

  /// Where input comes from; nil if there is none to read.
  var input: Int32? { isRaw || isatty(STDIN_FILENO) == 0 ? STDIN_FILENO : nil }

  /// Gives the terminal back as it was.
  func end() {
    rawMode?.end()
    rawMode = nil
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
