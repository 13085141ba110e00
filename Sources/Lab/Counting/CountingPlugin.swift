// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Sources/QEMUPlugin: sees the monitor's instructions on one emulated CPU.
struct CountingPlugin: Sendable {
  var project: Project
  var cpu = CodePlace.cpu
  /// Where it writes every instruction of an exit, and how often each was executed.
  var trace: String?
  var counts: String?

  /// QEMU's options.
  func options() throws(LabError) -> [String] {
    guard Files.exists(project.countingPlugin) else {
      throw .notBuilt(
        what: "the plugin for QEMU", path: project.countingPlugin, remedy: "make lab")
    }
    var words = [project.countingPlugin, "cpu=\(cpu)", "root=\(Self.text(CodePlace.monitor))"]
    if let trace { words += ["guest=\(Self.text(CodePlace.guest))", "trace=\(trace)"] }
    if let counts { words.append("counts=\(counts)") }
    return ["-plugin", words.joined(separator: ",")]
  }

  private static func text(_ place: Range<UInt64>) -> String {
    String(place.lowerBound, radix: 16) + "-" + String(place.upperBound, radix: 16)
  }

  /// Reads `trace`.
  static func read(trace: Data, into exits: inout ExitCollector) {
    trace.withUnsafeBytes { bytes in
      for place in stride(from: 0, to: bytes.count & ~3, by: 4) {
        exits.executed(
          UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))))
      }
    }
    exits.finish()
  }

  /// Reads `counts`: lines `ADDRESS COUNT`.
  static func counts(in text: String) throws(LabError) -> [UInt64: Int] {
    var counts: [UInt64: Int] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, let address = UInt64(words[0], radix: 16), let count = Int(words[1])
      else { throw .malformed(file: "what the plugin counted", reason: "has a line \(line)") }
      counts[address, default: 0] += count
    }
    return counts
  }
}
