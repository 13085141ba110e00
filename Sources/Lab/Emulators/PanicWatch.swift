// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Follows a guest that writes numbered lines to a serial port of its own, and says whether it goes
/// on when its host has panicked.
///
/// The lines are those of LAB_WORK=count (see `GuestImage`): number and the guest's own time.
struct PanicWatch: Sendable {
  /// How long the guest has to go on, in seconds of its own time.
  let seconds: Double

  /// Whether the host has a crash kernel, which has to come as far as user space.
  let hasCrashKernel: Bool

  private var hasPanicked = false
  private var crashKernelRuns = false
  private var first: Line?
  private var last: Line?
  private var missing = 0

  init(seconds: Double, crashKernel: Bool = false) {
    self.seconds = seconds
    hasCrashKernel = crashKernel
  }

  private struct Line {
    var number: Int
    var time: Double

    /// Reads `… guest: line 12 at 8.41 s`.
    init?(_ text: String) {
      let words = text.split(separator: " ")
      guard let start = words.firstIndex(of: "guest:"), words.count == start + 6,
        words[start + 1] == "line", let number = Int(words[start + 2]),
        let time = Double(words[start + 4])
      else { return nil }
      (self.number, self.time) = (number, time)
    }
  }

  mutating func hostWrote(_ line: String) {
    if line.contains("Kernel panic - not syncing: sysrq triggered crash") { hasPanicked = true }
    // What the lab's initramfs says, which is the crash kernel's too.
    if hasPanicked && line.contains("guest: in user space") { crashKernelRuns = true }
  }

  /// True if the line is one that the guest wrote after the panic.
  @discardableResult
  mutating func guestWrote(_ text: String) -> Bool {
    guard hasPanicked, let line = Line(text) else { return false }
    if let last { missing += line.number - last.number - 1 }
    first = first ?? line
    last = line
    return true
  }

  /// The guest has gone on for long enough, and everything else has been seen.
  var isOver: Bool { hasGoneOn && crashKernelRuns == hasCrashKernel }

  private var hasGoneOn: Bool { passed >= seconds }

  private var passed: Double {
    guard let first, let last else { return 0 }
    return last.time - first.time
  }

  /// What the watch adds to the machine's report (see `Report`).
  var report: [String] {
    guard hasPanicked else { return [] }
    let lines = first.flatMap { first in last.map { $0.number - first.number + 1 } } ?? 0
    let text = String(format: "%.1f s, %d lines, %d of them missing", passed, lines, missing)
    return [
      "value guest-after-panic \(text)",
      hasGoneOn && missing == 0
        ? "pass guest-outlives-panic \(text)" : "fail guest-outlives-panic \(text)",
    ] + (crashKernelRuns ? ["pass crash-kernel-runs"] : [])
  }
}
