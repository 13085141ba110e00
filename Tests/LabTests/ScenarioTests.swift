// SPDX-License-Identifier: Apache-2.0
import Subprocess
import Testing

@testable import Lab

@Suite struct ScenarioTests {
  private func outcome(
    _ lines: [String], status: TerminationStatus = .exited(0)
  ) -> MachineRun.Outcome {
    let report = Report(parsing: lines)
    return .init(
      report: report, ending: MachineEnding(status, report: report, isKnownAbort: false),
      emulatorMessage: "", duration: .seconds(1))
  }

  private var scenario: Scenario {
    var scenario = Scenario(name: "x", summary: "", seconds: 10, script: "")
    scenario.expected = ["a"]
    scenario.checks = [.init("b") { $0.values["v"] == "1" ? nil : "v is not 1" }]
    return scenario
  }

  @Test("All is well when the script ended with 0 and every check held")
  func passes() {
    #expect(scenario.judge(outcome(["pass a", "value v 1", "done 0"])).allSatisfy { $0.passed })
  }

  @Test(
    "A run fails for each of: a check, a check never reached, a value, a status, no end, time",
    arguments: [
      ["fail a no", "value v 1", "done 0"], ["value v 1", "done 0"], ["pass a", "done 0"],
      ["pass a", "value v 1", "done 1"], ["pass a", "value v 1"],
      ["pass a", "value v 1", "??", "done 0"],
    ])
  func fails(lines: [String]) {
    #expect(scenario.judge(outcome(lines)).filter { !$0.passed }.count == 1)
  }

  @Test("A machine ended for its time has failed even if its script said otherwise")
  func timesOut() {
    let judged = scenario.judge(outcome(["pass a", "value v 1", "done 0"], status: .exited(124)))
    #expect(judged.filter { !$0.passed }.map(\.detail) == ["not within 10 s"])
  }

  @Test("Names of scenarios are unique, and each says what it is")
  func catalogue() {
    let all = Scenario.all
    #expect(Set(all.map(\.name)).count == all.count)
    #expect(all.allSatisfy { !$0.summary.isEmpty && $0.seconds > 0 })
  }
}
