// SPDX-License-Identifier: Apache-2.0
import Figures

/// Costs of exits for the person at the terminal; a cost above its goal has a `!`.
public struct CostTable: Sendable {
  private let columns: [(machine: StandaloneMachine, costs: [ExitCost])]

  public init(_ costs: [ExitCost]) {
    columns = StandaloneMachine.allCases.compactMap { machine in
      let own = costs.filter { $0.vendor == machine.rawValue }
      return own.isEmpty ? nil : (machine, own)
    }
  }

  public var description: String {
    var table = TextTable(
      ["instructions from exit to entry"]
        + columns.flatMap { column in
          column.machine == .amd
            ? ["SVM", "first", "goal"] : ["VT-x", "first", "goal", "VMREADs", "VMWRITEs"]
        })
    for kind in ExitKind.all {
      table.addRow([kind.title] + columns.flatMap { cells(of: kind, $0.machine, $0.costs) })
    }
    return table.description + "\n" + notes.joined(separator: "\n")
  }

  private func cells(
    of kind: ExitKind, _ machine: StandaloneMachine, _ costs: [ExitCost]
  ) -> [String] {
    guard let cost = costs.first(where: { $0.exit == kind.name }) else {
      return Array(repeating: "–", count: machine == .amd ? 3 : 5)
    }
    let mark = cost.instructions <= cost.goal ? "" : "! "
    let cells = ["\(mark)\(cost.instructions)", "\(cost.first)", "\(cost.goal)"]
    guard machine == .intel else { return cells }
    return cells + [cost.vmreads, cost.vmwrites].map { $0.map(String.init) ?? "–" }
  }

  private var notes: [String] {
    ["first: of an instruction that was not met shortly before"]
      + columns.map {
        switch $0.machine {
        case .amd:
          "SVM under QEMU, which does not tell the length of an instruction; a REP counts once"
        case .intel: "VT-x under Bochs; each repetition of a REP counts"
        }
      }
  }
}
