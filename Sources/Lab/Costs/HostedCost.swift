// SPDX-License-Identifier: Apache-2.0
import Figures

/// What one kind of exit costs a guest under Linux, by the guest's TSC: in instructions, where an
/// emulator counts those, of everybody who takes part.
public struct HostedCost: Sendable, Equatable, Codable {
  public var exit: String
  public var kvm: Double
  public var apus: Double

  /// For an IN that the client answers: its side, the driver's and the monitor's.
  static let portCeiling = 4000.0

  /// What Tests/CostGuest makes, and how it is called in a table.
  private static let kinds: [(name: String, title: String)] =
    ExitKind.all.filter { !["icr-other", "kick", "cpuid-traced"].contains($0.name) }.map {
      ($0.name, $0.title)
    }
    + [
      ("port-client", "IN, answered by the client"),
      ("memory-client", "MMIO read, answered by the client"),
    ]

  /// How a kind is called in a table.
  static func title(of exit: String) -> String {
    kinds.first { $0.name == exit }?.title ?? exit
  }

  /// What the guest said on either device, in the files `kvm` and `apus` of the report.
  static func all(in report: Report) -> [HostedCost] {
    let kvm = ticks(in: report.files["kvm"] ?? [])
    let apus = ticks(in: report.files["apus"] ?? [])
    return kinds.compactMap { kind in
      guard let kvm = kvm[kind.name], let apus = apus[kind.name] else { return nil }
      return HostedCost(exit: kind.name, kvm: kvm, apus: apus)
    }
  }

  static func missing(in report: Report) -> [String] {
    let measured = all(in: report).map(\.exit)
    return kinds.map(\.name).filter { !measured.contains($0) }
  }

  /// For one exit, without what the loop itself takes.
  private static func ticks(in lines: [String]) -> [String: Double] {
    let sites = lines.compactMap(CostSite.init(line:))
    guard let nothing = sites.first(where: { $0.name == "nothing" }) else { return [:] }
    var ticks: [String: Double] = [:]
    for site in sites where site.iterations == nothing.iterations && site.iterations > 0 {
      let each = Double(site.ticks - nothing.ticks) / Double(site.iterations)
      ticks[site.name] = (10 * each).rounded() / 10
    }
    return ticks
  }

  static func measurement(_ costs: [HostedCost]) -> Scenario.Measurement {
    var values: [String: String] = [:]
    for cost in costs {
      values["kvm-\(cost.exit)"] = "\(cost.kvm)"
      values["apus-\(cost.exit)"] = "\(cost.apus)"
    }
    return .init(values: values, table: table(costs))
  }

  /// Of a scenario's result: what `measurement` put there.
  static func all(in values: [String: String]) -> [HostedCost] {
    kinds.compactMap { kind in
      guard let kvm = values["kvm-\(kind.name)"].flatMap(Double.init),
        let apus = values["apus-\(kind.name)"].flatMap(Double.init)
      else { return nil }
      return HostedCost(exit: kind.name, kvm: kvm, apus: apus)
    }
  }

  static func table(_ costs: [HostedCost]) -> String {
    var table = TextTable(["instructions until the guest goes on, under Linux", "KVM", "Apus"])
    for kind in kinds {
      guard let cost = costs.first(where: { $0.exit == kind.name }) else { continue }
      table.addRow([kind.title, "\(Int(cost.kvm.rounded()))", "\(Int(cost.apus.rounded()))"])
    }
    return table.description + "\nVT-x under Bochs, whose TSC counts instructions"
  }
}
