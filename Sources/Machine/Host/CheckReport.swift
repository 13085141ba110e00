// SPDX-License-Identifier: Apache-2.0

/// A check's result as a person and as programs read it.
public struct CheckReport {
  private let check: HostCheck

  public init(_ check: HostCheck) { self.check = check }

  public var lines: [String] {
    let width = check.findings.map(\.subject.count).max() ?? 0
    var lines: [String] = []
    for finding in check.findings {
      let mark = finding.state == .good ? "yes " : finding.state == .note ? "note" : "NO  "
      lines.append("\(mark)  \(Text.left(finding.subject, width))  \(finding.text)")
      if let fix = finding.fix {
        lines.append(String(repeating: " ", count: width + 8) + "→ \(fix)")
      }
    }
    return lines + ["", verdict]
  }

  private var verdict: String {
    if check.canLend { return "This machine can lend \(Self.names(check.lendableCPUs))." }
    let count = check.findings.filter { $0.state == .problem }.count
    let what = check.cpu.map { "CPU \($0)" } ?? "CPUs"
    return "This machine cannot lend \(what) yet: put \(count) "
      + "\(count == 1 ? "thing" : "things") right."
  }

  private static func names(_ cpus: [Int]) -> String {
    (cpus.count == 1 ? "CPU " : "CPUs ") + "\(CPUList(cpus))"
  }

  public var json: JSON {
    .object([
      .init("version", .count(1)),
      .init("can_lend", .bool(check.canLend)),
      .init("cpus", .array(check.lendableCPUs.map { .count($0) })),
      .init(
        "findings",
        .array(
          check.findings.map {
            .object([
              .init("subject", .string($0.subject)),
              .init("state", .string($0.state.rawValue)),
              .init("text", .string($0.text)),
              .init("fix", .optional($0.fix, JSON.string)),
            ])
          })),
    ])
  }
}
