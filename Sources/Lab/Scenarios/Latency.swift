// SPDX-License-Identifier: Apache-2.0
import Figures
import Foundation

extension Scenario {
  /// `apus latency` on an emulated host: each way measures, and the guest on a lent CPU exits for none of its
  /// wake-ups.
  static let latency = latency(
    "latency", on: HostMachine(), module: "kvm-amd", cpu: 3, seconds: 100)

  /// With VT-x, where the guest's timer is the TSC's deadline.
  static let latencyIntel = latency(
    "latency-intel", on: HostMachine(.intel), module: "kvm-intel", cpu: 1, seconds: 900)

  private static func latency(
    _ name: String, on machine: HostMachine, module: String, cpu: Int, seconds: Int
  ) -> Scenario {
    var scenario = Scenario(
      name: name, summary: "apus latency: the host, KVM and a lent CPU", seconds: seconds,
      script: """
        dmesg -n 4
        load \(module)
        load apus
        apus latency --cpu \(cpu) --seconds 2 --json /tmp/latency.json --html /tmp/latency.html > /tmp/said 2>&1
        expect measured [ $? = 0 ]
        attach latency.txt /tmp/said
        attach latency.json /tmp/latency.json
        attach latency.html /tmp/latency.html
        expect page grep -q 'Wake-up latency of CPU \(cpu)' /tmp/latency.html
        expect cpu-back online \(cpu)
        refuse cpu-0 'cannot be lent' apus latency --cpu 0
        expect host-unhurt clean_kernel_log

        """)
    scenario.machine = machine
    scenario.suite = .soak
    scenario.expected = ["measured", "page", "cpu-back", "host-unhurt"]
    scenario.checks = [
      .init("every-way-measured") { latencyProblem($0.text(of: "latency.json") ?? "") }
    ]
    return scenario
  }

  private static func latencyProblem(_ text: String) -> String? {
    struct Report: Decodable {
      var measured: [Column]
      struct Column: Decodable {
        var way: String
        var wakeUps: Int
        var exits: UInt64?
        var shortcomings: [String]
      }
    }
    guard let report = JSON.decode(Report.self, from: text.utf8) else { return "no report" }
    guard report.measured.map(\.way) == ["host", "kvm", "apus"] else {
      return "\(report.measured.map(\.way))"
    }
    for column in report.measured {
      // An emulated CPU has to share its processor.
      if column.wakeUps < 50 { return "\(column.way): \(column.wakeUps) wake-ups" }
      if !column.shortcomings.isEmpty { return "\(column.way): \(column.shortcomings)" }
    }
    guard let apus = report.measured.last, let exits = apus.exits else { return "no exits" }
    return exits <= 2 ? nil : "\(exits) exits in \(apus.wakeUps) wake-ups"
  }
}
