// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// A monitor that answers nothing while a user's client is in KVM_RUN: the machine restarts all the same.
  static let stuckReboot: Scenario = {
    var scenario = Scenario(
      name: "stuck-reboot", summary: "a reboot while a broken monitor does not answer", seconds: 60,
      script: """
        cp /lab/monitors/ignores_run /lib/firmware/apus/monitor
        load apus any_image=1
        echo 3 > /sys/module/apus/parameters/pool
        chmod 666 /dev/apus
        apus run --no-console --quiet --cpu 3 --kernel /lab/guest/spin < /dev/null &
        expect cpu-3-lent within 10 offline 3
        sleep 1
        \(Reboot.script(seconds: 40))

        """)
    scenario.machine.append = "panic_on_warn=1 oops=panic"
    scenario.files = ["lab/monitors": "build/broken-monitors"]
    scenario.expected = ["cpu-3-lent"]
    scenario.checks = [.init("restarts-soon", problem: restartProblem)]
    return scenario
  }()

  /// Seconds. The driver waits for the monitor for two, and takes the CPU back by force.
  private static let restartLimit = 15.0

  /// By the times that the kernel gives its lines. A driver that waited for KVM_RUN never restarted.
  private static func restartProblem(_ report: Report) -> String? {
    switch Reboot.console(of: report) {
    case .failure(let problem): return problem.words
    case .success(let console):
      guard let asked = console.first.flatMap(time), let restarted = console.last.flatMap(time)
      else {
        return "the console's lines have no times"
      }
      let seconds = restarted - asked
      return seconds <= restartLimit ? nil : "it took \(seconds) s"
    }
  }

  /// `[   12.345678] words`.
  private static func time(of line: String) -> Double? {
    line.split(whereSeparator: { "[] ".contains($0) }).first.flatMap { Double($0) }
  }
}
