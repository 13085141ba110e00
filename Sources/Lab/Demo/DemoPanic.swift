// SPDX-License-Identifier: Apache-2.0

/// The demonstration's last act: the host panics, and a guest on a lent CPU goes on.
enum DemoPanic {
  static func add(to scenario: inout Scenario, _ plan: DemoPlan) {
    scenario.script += """

      step "a guest with a serial port of its own, and then no host any longer"

      """ + PanicScript.text(cpu: plan.cpu)
    scenario.seconds += 60
    scenario.afterPanic = PanicWatch(seconds: PanicScript.seconds)
    scenario.expected += ["guest-outlives-panic"]
  }
}
