// SPDX-License-Identifier: Apache-2.0

/// Memory that nothing points to, as /sys/kernel/debug/kmemleak shows it.
struct KernelLeak: Equatable {
  /// `unreferenced object ...`.
  var title: String
  var lines: [String]

  /// Whether the module allocated it. Once the module is gone, its functions have no names: of all
  /// modules it alone is ever removed.
  var isOurs: Bool {
    lines.contains { $0.contains(KernelReport.frame) || $0.contains("] 0xffffffff") }
  }

  /// All in the text of that file.
  static func all(in text: some Sequence<String>) -> [KernelLeak] {
    var leaks: [KernelLeak] = []
    for line in text {
      if line.hasPrefix("unreferenced object") {
        leaks.append(KernelLeak(title: line, lines: []))
      } else if !leaks.isEmpty {
        leaks[leaks.count - 1].lines.append(line)
      }
    }
    return leaks
  }
}
