// SPDX-License-Identifier: Apache-2.0
import Figures

/// What the parts of a run measured, as written to build/bench/report.json. Nil is what was not measured.
public struct BenchResults: Sendable, Codable {
  public var costs: CostReport?
  public var demo: DemoResult?
  public var demoIntel: DemoResult?
  /// The values of scenarios, by the scenario's name.
  public var scenarios: [String: ScenarioRunner.Result] = [:]
  /// Bytes of what `make` built.
  public var sizes: [String: Int] = [:]
  public var versions: [String: String] = [:]
  /// Parts that ended with a failure, and what it was. Their figures may be there all the same.
  public var failures: [String: String] = [:]

  public init() {}

  /// Reads what is there of `parts`: the file of a part in `directory`, or the scenario's result in its
  /// own directory there.
  public init(of parts: [BenchPart], in directory: String) throws {
    for part in parts {
      guard let file = part.result(in: directory) else { continue }
      switch part {
      case .costs: costs = try Self.read(file)
      case .demo: demo = try Self.read(file)
      case .demoIntel: demoIntel = try Self.read(file)
      default:
        let result: ScenarioRunner.Result = try Self.read(file)
        scenarios[part.rawValue] = result
      }
    }
    for result in scenarios.values where !result.passed {
      failures[result.scenario] =
        result.checks.filter { !$0.passed }.map { "\($0.name): \($0.detail)" }
        .joined(separator: "; ")
    }
    for (name, result) in [("demo", demo), ("demo-intel", demoIntel)] {
      guard let result, !result.passed else { continue }
      failures[name] =
        result.checks.filter { !$0.passed }.map { "\($0.name): \($0.detail)" }
        .joined(separator: "; ")
    }
    versions = demo?.versions ?? demoIntel?.versions ?? [:]
  }

  private static func read<Value: Decodable>(_ path: String) throws -> Value {
    guard let value = JSON.decode(Value.self, from: try Files.read(path)) else {
      throw LabError.malformed(file: path, reason: "is no result of this version of the lab")
    }
    return value
  }

  /// Of a scenario's result.
  func value(_ name: String, of part: BenchPart) -> Double? {
    scenarios[part.rawValue]?.values[name].flatMap(Double.init)
  }
}
