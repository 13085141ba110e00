// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The terminal on standard input, out of line mode: each key is read as it is pressed, and none
/// sends a signal.
struct RawMode {
  private let saved: termios

  private static var isInForeground: Bool { tcgetpgrp(STDIN_FILENO) == getpgrp() }

  /// Nil where standard input is no terminal. A process in the background of its terminal does
  /// not touch it: it would be stopped.
  init?() {
    guard isatty(STDIN_FILENO) == 1, Self.isInForeground else { return nil }
    var settings = termios()
    guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
    saved = settings
    cfmakeraw(&settings)
    settings.c_oflag |= tcflag_t(OPOST)  // messages of ours end in a plain newline
    tcsetattr(STDIN_FILENO, TCSANOW, &settings)
  }

  /// Gives the terminal back as it was.
  func end() {
    var settings = saved
    if Self.isInForeground { tcsetattr(STDIN_FILENO, TCSANOW, &settings) }
  }
}
