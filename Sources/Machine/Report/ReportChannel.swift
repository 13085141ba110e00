// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The guest's second serial port, on which it says in lines of text how it fares.
///
/// A line `mark NAME key=value …` sets a mark: the exits so far are noted. A line `file NAME TEXT`
/// is one line of a file. Other lines are kept as they are. The vCPU's own thread brings each
/// byte, inside the exit that wrote it, so the counts are exact: a mark notes them before its
/// line and after it, and what the guest's driver does with the port around the line belongs to
/// neither side.
public final class ReportChannel: Sendable {
  private struct State {
    var line: [UInt8] = []
    var before: Snapshot?
    /// Before the first of the uses of the port that led to the next line.
    var lead: Snapshot?
    var lastUse: Duration?
    /// Whether nothing but uses of the port came after the newest mark.
    var isMarkOpen = false
    var report = GuestReport()

    /// Whether a use of the port belongs to the one before it.
    mutating func goesOn(at time: Duration) -> Bool {
      defer { lastUse = time }
      return lastUse.map { time - $0 < ReportChannel.pause } ?? false
    }
  }

  /// Uses of the port with less time between them are one: a driver that sends a line.
  static let pause = Duration.milliseconds(100)
  /// A line longer than this is cut: a guest must not fill the host's memory.
  static let longestLine = 4096
  static let mostLines = 65_536

  private let state = Mutex(State())
  private let snapshot: @Sendable () -> Snapshot

  public init(snapshot: @escaping @Sendable () -> Snapshot) { self.snapshot = snapshot }

  /// The guest uses the port without sending a byte.
  func use() {
    state.withLock { state in
      let now = snapshot()
      if state.goesOn(at: now.time) {
        // An interrupt that is acknowledged after the last byte, say.
        if state.isMarkOpen, state.line.isEmpty {
          state.report.marks[state.report.marks.count - 1].after = now
        }
      } else {
        state.lead = now.beforeThisExit
        state.isMarkOpen = false
      }
    }
  }

  func receive(_ byte: UInt8) {
    state.withLock { state in
      switch byte {
      case UInt8(ascii: "\n"):
        let line = String(decoding: state.line, as: UTF8.self)
        let marks = state.report.marks.count
        finish(line, before: state.before, in: &state.report)
        state.isMarkOpen = state.report.marks.count > marks
        if state.isMarkOpen { state.lastUse = state.report.marks.last?.after.time }
        state.line.removeAll(keepingCapacity: true)
        state.before = nil
      case UInt8(ascii: "\r"): break
      default:
        if state.line.isEmpty {
          let now = snapshot()
          if !state.goesOn(at: now.time) { state.lead = nil }
          state.before = state.lead ?? now.beforeThisExit
          state.lead = nil
        }
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
