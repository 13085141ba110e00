// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// The host's kernel panics while a guest runs: the guest goes on.
  static let hostPanic: Scenario = {
    var scenario = Scenario(
      name: "host-panic",
      summary: "the host panics and the guest goes on for \(Int(PanicScript.seconds)) s",
      seconds: 90,
      script: """
        dmesg -n 4
        load apus

        """ + PanicScript.text(cpu: 3))
    scenario.afterPanic = PanicWatch(seconds: PanicScript.seconds)
    scenario.expected = ["guest-counts", "guest-outlives-panic"]
    return scenario
  }()
}
