// SPDX-License-Identifier: Apache-2.0

/// Sources/QEMUPlugin: counts the monitor's instructions on one emulated CPU.
struct CountingPlugin: Sendable {
  var project: Project
  var cpu = CodePlace.cpu
  /// Where it writes each exit, and the instructions by address.
  var exits: String?
  var counts: String?

  /// QEMU's options.
  func options() throws(LabError) -> [String] {
    guard Files.exists(project.countingPlugin) else {
      throw .notBuilt(
        what: "the plugin for QEMU", path: project.countingPlugin, remedy: "make lab")
    }
    var words = [project.countingPlugin, "cpu=\(cpu)", "root=\(Self.text(CodePlace.monitor))"]
    if let exits { words += ["guest=\(Self.text(CodePlace.guest))", "exits=\(exits)"] }
    if let counts { words.append("counts=\(counts)") }
    return ["-plugin", words.joined(separator: ",")]
  }

  private static func text(_ place: Range<UInt64>) -> String {
    String(place.lowerBound, radix: 16) + "-" + String(place.upperBound, radix: 16)
  }

  /// Reads `exits`.
  static func exits(in text: String) throws(LabError) -> ExitCount.BySite {
    var exits: ExitCount.BySite = [:]
    for (site, instructions) in try pairs(text) {
      exits[site, default: []].append(ExitCount(instructions: instructions))
    }
    return exits
  }

  /// Reads lines `ADDRESS COUNT`.
  static func pairs(_ text: String) throws(LabError) -> [(address: UInt64, count: Int)] {
    var pairs: [(address: UInt64, count: Int)] = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, let address = UInt64(words[0], radix: 16), let count = Int(words[1])
      else { throw .malformed(file: "what the plugin counted", reason: "has a line \(line)") }
      pairs.append((address, count))
    }
    return pairs
  }
}
