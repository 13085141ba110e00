// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// Every scenario, in the order in which `apus-lab check` runs them.
  public static let all: [Scenario] = []

  /// Those of a suite.
  public static func all(in suite: Suite) -> [Scenario] { all.filter { $0.suite == suite } }

  /// Those of these names.
  public static func named(_ names: [String]) throws(LabError) -> [Scenario] {
    var found: [Scenario] = []
    for name in names {
      guard let scenario = all.first(where: { $0.name == name }) else {
        throw .noSuchScenario(name, known: all.map(\.name))
      }
      found.append(scenario)
    }
    return found
  }
}
