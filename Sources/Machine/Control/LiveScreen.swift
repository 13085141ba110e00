// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxCalls

/// A terminal that shows a page which is drawn anew in place; what it showed before comes back
/// at the end.
public final class LiveScreen {
  public enum Event: Equatable, Sendable {
    case timeIsUp
    /// The terminal has another size.
    case resized
    /// A key or a signal.
    case leave
  }

  private let rawMode: RawMode?
  private let signals: Int32
  private var hasInput: Bool

  /// Nil if standard output is no terminal.
  public init?() {
    guard isatty(STDOUT_FILENO) == 1 else { return nil }
    EndSignals.block()
    var set = EndSignals.set
    sigaddset(&set, SIGWINCH)
    pthread_sigmask(SIG_BLOCK, &set, nil)
    signals = signalfd(-1, &set, Int32(SFD_CLOEXEC))
    rawMode = RawMode()
    hasInput = rawMode != nil
    write("\u{1b}[?1049h\u{1b}[?25l")
  }

  deinit {
    write("\u{1b}[?25h\u{1b}[?1049l")
    rawMode?.end()
    close(signals)
  }

  /// As many lines, and as much of each, as there is place for.
  public func show(_ lines: [String]) {
    var size = winsize()
    let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    let page = Self.page(
      lines, columns: isKnown ? Int(size.ws_col) : 80, rows: isKnown ? Int(size.ws_row) : 24)
    write(page)
  }

  static func page(_ lines: [String], columns: Int, rows: Int) -> String {
    // Without a newline after the last, which would scroll.
    let shown = lines.prefix(max(rows, 1)).map { $0.prefix(max(columns, 1)) + "\u{1b}[K" }
    return "\u{1b}[H" + shown.joined(separator: "\r\n") + "\u{1b}[J"
  }

  /// Waits for `time`, or for what comes before.
  public func wait(_ time: Duration) -> Event {
    let deadline = ContinuousClock.now + time
    while true {
      let rest = (deadline - ContinuousClock.now).nanoseconds / 1_000_000
      guard rest > 0 else { return .timeIsUp }
      var sources = [
        pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
        pollfd(fd: hasInput ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&sources, 2, Int32(clamping: rest)) > 0 else { continue }
      if sources[0].revents != 0 {
        var information = signalfd_siginfo()
        _ = read(signals, &information, MemoryLayout<signalfd_siginfo>.size)
        return information.ssi_signo == UInt32(SIGWINCH) ? .resized : .leave
      }
      if sources[1].revents != 0, let key = key(), Self.leaves(key) { return .leave }
    }
  }

  /// q, Ctrl-C or Ctrl-D.
  private static func leaves(_ key: UInt8) -> Bool {
    [UInt8(ascii: "q"), UInt8(ascii: "Q"), 0x03, 0x04].contains(key)
  }

  private func key() -> UInt8? {
    var byte: UInt8 = 0
    let count = read(STDIN_FILENO, &byte, 1)
    if count == 0 { hasInput = false }
    return count == 1 ? byte : nil
  }

  private func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(STDOUT_FILENO, bytes, bytes.count)
  }
}
