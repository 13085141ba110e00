// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The user's end of the guest's console: standard input and output.
final class Terminal: @unchecked Sendable {
  // `saved` and `escape` belong to the event loop's thread; output is a system call.
  private var saved: termios?
  private var escape = ConsoleEscape()

  /// Takes a terminal out of line mode, so that the guest sees every key. A process in the
  /// background of its terminal does not touch it: it would be stopped.
  func begin() {
    guard isatty(STDIN_FILENO) == 1, tcgetpgrp(STDIN_FILENO) == getpgrp() else { return }
    var settings = termios()
    guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return }
    saved = settings
    cfmakeraw(&settings)
    tcsetattr(STDIN_FILENO, TCSANOW, &settings)
  }

  var isRaw: Bool { saved != nil }

  /// Gives the terminal back as it was.
  func end() {
    guard var settings = saved else { return }
    tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
    saved = nil
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

  static func write(_ byte: UInt8) {
    var byte = byte
    while Glibc.write(STDOUT_FILENO, &byte, 1) < 0, errno == EINTR {}
  }
}

enum ConsoleInput: Equatable {
  case bytes([UInt8])
  case quit
  case end
}

/// Finds QEMU's escape in what is typed: Ctrl-A x quits, Ctrl-A Ctrl-A is Ctrl-A.
struct ConsoleEscape {
  private var pending = false

  mutating func filter(_ input: some Sequence<UInt8>) -> ConsoleInput {
    var output: [UInt8] = []
    for byte in input {
      switch (pending, byte) {
      case (false, 0x01): pending = true
      case (false, _): output.append(byte)
      case (true, UInt8(ascii: "x")), (true, UInt8(ascii: "X")): return .quit
      case (true, 0x01):
        output.append(byte)
        pending = false
      case (true, _): pending = false
      }
    }
    return .bytes(output)
  }
}
