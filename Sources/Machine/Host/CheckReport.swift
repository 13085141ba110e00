// SPDX-License-Identifier: Apache-2.0
import Figures

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
}

extension CheckReport: Encodable {
  private enum CodingKeys: CodingKey { case version, canLend, cpus, findings }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(1, forKey: .version)
    try members.encode(check.canLend, forKey: .canLend)
    try members.encode(check.lendableCPUs, forKey: .cpus)
    try members.encode(check.findings, forKey: .findings)
  }
}
