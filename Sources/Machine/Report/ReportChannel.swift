// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The guest's second serial port, on which it says in lines of text how it fares.
///
/// A line `mark NAME key=value …` sets a mark: the exits so far are noted. A line `file NAME TEXT`
/// is one line of a file. Other lines are kept as they are. The vCPU's own thread brings each byte, inside the exit that wrote it, so the
/// counts are exact to the byte: a mark notes them both before its line's first byte and after
/// its last, and the line's own cost belongs to neither side.
public final class ReportChannel: Sendable {
  private struct State {
    var line: [UInt8] = []
    var before: Snapshot?
    var report = GuestReport()
  }

  /// A line longer than this is cut: a guest must not fill the host's memory.
  static let longestLine = 4096
  static let mostLines = 65_536

  private let state = Mutex(State())
  private let snapshot: @Sendable () -> Snapshot

  public init(snapshot: @escaping @Sendable () -> Snapshot) { self.snapshot = snapshot }

  func receive(_ byte: UInt8) {
    state.withLock { state in
      switch byte {
      case UInt8(ascii: "\n"):
        let line = String(decoding: state.line, as: UTF8.self)
        finish(line, before: state.before, in: &state.report)
        state.line.removeAll(keepingCapacity: true)
        state.before = nil
      case UInt8(ascii: "\r"): break
      default:
        if state.line.isEmpty { state.before = snapshot() }
        if state.line.count < Self.longestLine { state.line.append(byte) }
      }
    }
  }

  private func finish(_ line: String, before: Snapshot?, in report: inout GuestReport) {
    guard let before else { return }
    guard report.lineCount < Self.mostLines else {
      report.droppedLines += 1
      return
    }
    report.lineCount += 1
    if report.firstLine == nil { report.firstLine = before.time }
    if let mark = Mark(line: line, before: before, after: snapshot()) {
      report.marks.append(mark)
    } else if let (file, text) = GuestReport.fileLine(line) {
      report.append(text, to: file)
    } else {
      report.lines.append(line)
    }
  }

  /// What was said so far.
  public var report: GuestReport { state.withLock { $0.report } }
}
