// SPDX-License-Identifier: Apache-2.0
import Figures

/// In which functions of the monitor instructions were spent.
public struct FunctionProfile: Sendable, Equatable, Codable {
  public struct Row: Sendable, Equatable, Codable {
    public var function: String
    public var instructions: Double
  }

  /// What was looked at: an exit, a test, a scenario.
  public var subject: String
  public var vendor: String
  /// Exits that the instructions belong to; figures are of one of them. Nil: of the whole run.
  public var exits: Int?
  /// The dearest first.
  public var rows: [Row]
  public var total: Double { rows.reduce(0) { $0 + $1.instructions } }

  /// `counts` by address.
  init(
    of subject: String, vendor: String, exits: Int?, counts: [UInt64: Int],
    in disassembly: Disassembly
  ) {
    var functions: [String: Int] = [:]
    for (address, count) in counts {
      functions[disassembly.function(at: address)?.name ?? "?", default: 0] += count
    }
    self.subject = subject
    self.vendor = vendor
    self.exits = exits
    rows = functions.map {
      Row(function: $0, instructions: Double($1) / Double(exits ?? 1))
    }
    .sorted { ($1.instructions, $0.function) < ($0.instructions, $1.function) }
  }

  /// As a table of at most so many functions.
  public func table(rows limit: Int) -> String {
    let what =
      exits == nil
      ? "instructions of the whole run" : "instructions for each of \(exits ?? 0) exits"
    var table = TextTable(["\(subject), \(vendor): \(what)", "instructions", "share"])
    let all = max(total, 1)
    for row in rows.prefix(limit) { table.addRow(cells(row.function, row.instructions, of: all)) }
    if rows.count > limit {
      let rest = rows.dropFirst(limit).reduce(0) { $0 + $1.instructions }
      table.addRow(cells("\(rows.count - limit) others", rest, of: all))
    }
    table.addRow(cells("all", total, of: all))
    return table.description
  }

  private func cells(_ name: String, _ instructions: Double, of all: Double) -> [String] {
    let figure =
      exits == nil
      ? "\(Int(instructions))" : "\((instructions * 10).rounded() / 10)"
    return [name, figure, "\((1000 * instructions / all).rounded() / 10) %"]
  }
}
