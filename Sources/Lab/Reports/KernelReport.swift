// SPDX-License-Identifier: Apache-2.0

/// What a detector of the kernel wrote on its console: one report, from its title to the last frame.
struct KernelReport: Equatable {
  /// Its first line, without the time.
  var title: String
  var lines: [String]

  /// Whether a frame of the module is on one of its stacks.
  var isOurs: Bool { lines.contains { $0.contains(Self.frame) } }

  /// How Linux marks the module's functions, in stacks and elsewhere.
  static let frame = "[apus]"

  /// Words of a first line. KASAN, lockdep, RCU, atomic sleep, lists, work and timers (ODEBUG), watchdogs.
  private static let titles = [
    "BUG: ", "WARNING: ", "KASAN: ", "ODEBUG: ", "rcu: INFO: ", "INFO: task ",
    "INFO: trying to register",
    "list_add corruption", "list_del corruption", "refcount_t: ", "kernel BUG at",
    "DEBUG_LOCKS_WARN_ON", "general protection fault",
  ]
  /// Those of what has stacks too, and was asked for: nothing of them belongs to the report before.
  private static let others = ["FAULT_INJECTION:", "page allocation failure"]
  /// A report that another one does not end has fewer lines.
  private static let mostLines = 200

  /// All on a console, in their order.
  static func all(in console: some Sequence<String>) -> [KernelReport] {
    var reports: [KernelReport] = []
    var isOpen = false
    for line in console.map(withoutTime) {
      if contains(line, others) {
        isOpen = false
      } else if contains(line, titles) {
        reports.append(KernelReport(title: line, lines: []))
        isOpen = true
      }
      if isOpen {
        reports[reports.count - 1].lines.append(line)
        isOpen = reports[reports.count - 1].lines.count < mostLines
      }
    }
    return reports
  }

  /// Each title once, with how often it came.
  static func titles(of reports: [KernelReport]) -> [String] {
    let counts = Dictionary(reports.map { ($0.title, 1) }, uniquingKeysWith: +)
    return counts.sorted { $0.key < $1.key }
      .map { $0.value == 1 ? $0.key : "\($0.value) × \($0.key)" }
  }

  private static func contains(_ line: String, _ words: [String]) -> Bool {
    words.contains { line.contains($0) }
  }

  /// `[   12.345678] words`.
  private static func withoutTime(_ line: String) -> String {
    guard line.first == "[", let end = line.firstIndex(of: "]"),
      line[..<end].dropFirst().allSatisfy({ $0 == " " || $0 == "." || $0.isNumber })
    else { return line }
    return String(line[line.index(after: end)...].drop { $0 == " " })
  }
}
