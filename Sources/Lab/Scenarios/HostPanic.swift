// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// The host's kernel panics while a guest runs: the guest goes on.
  static let hostPanic = hostPanic("host-panic", on: HostMachine(), seconds: 90, suite: .check)
  static let hostPanicIntel = hostPanic(
    "host-panic-intel", on: HostMachine(.intel), seconds: 1200, suite: .soak)

  private static func hostPanic(
    _ name: String, on machine: HostMachine, seconds: Int, suite: Suite
  ) -> Scenario {
    var scenario = Scenario(
      name: name,
      summary: "the host panics and the guest goes on for \(Int(PanicScript.seconds)) s"
        + (machine.vendor == .intel ? ", on VT-x" : ""),
      seconds: seconds,
      script: """
        dmesg -n 4
        load apus

        """ + PanicScript.text(cpu: machine.cpus - 1))
    scenario.machine = machine
    scenario.suite = suite
    scenario.afterPanic = PanicWatch(seconds: PanicScript.seconds)
    scenario.expected = ["guest-counts", "guest-outlives-panic"]
    return scenario
  }

  /// The same where the host has a crash kernel: it starts on the CPU that panicked.
  static let hostCrashKernel: Scenario = {
    var scenario = Scenario(
      name: "crash-kernel",
      summary: "the host panics into its crash kernel and the guest goes on",
      seconds: 150,
      script: """
        dmesg -n 4
        load apus

        """ + PanicScript.text(cpu: 3, crashKernel: true))
    scenario.suite = .soak
    scenario.programs = ["/usr/sbin/kexec"]
    scenario.machine.append = "crashkernel=256M"
    scenario.afterPanic = PanicWatch(seconds: PanicScript.seconds, crashKernel: true)
    scenario.expected = [
      "crash-kernel-loaded", "crash-kernel-waits", "guest-counts", "guest-outlives-panic",
      "crash-kernel-runs",
    ]
    return scenario
  }()
}
