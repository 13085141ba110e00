// SPDX-License-Identifier: Apache-2.0
import Figures

/// What is known about a guest that ended itself, as a person reads it.
public struct FailureReport {
  public let lines: [String]

  public init(_ failure: GuestFailure) {
    var lines = ["the guest ended itself on vCPU \(failure.virtualCPU): \(failure.reason)"]
    if failure.registers.isEmpty { lines.append("  its registers cannot be read") }
    for start in stride(from: 0, to: failure.registers.count, by: 4) {
      let row = failure.registers[start..<min(start + 4, failure.registers.count)]
      let cells = row.map { Text.right($0.name, 9) + " " + Self.word($0.value) }
      lines.append(cells.joined(separator: " "))
    }
    if !failure.lastExits.isEmpty {
      lines.append("  its last exits, the newest at the end:")
      for exit in failure.lastExits {
        lines.append(
          "    code \(hexadecimal(exit.code)) at \(hexadecimal(exit.instructionPointer)), "
            + "information \(hexadecimal(exit.information))")
      }
    }
    self.lines = lines
  }

  /// 16 hexadecimal digits.
  private static func word(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
