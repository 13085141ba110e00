// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// A monitor that answers nothing while a user's client is in KVM_RUN: the machine restarts all the same.
  static let stuckReboot: Scenario = {
    var scenario = Scenario(
      name: "stuck-reboot", summary: "a reboot while a broken monitor does not answer", seconds: 60,
      script: """
        cp /lab/monitors/ignores_run /lib/firmware/apus/monitor
        load apus
        echo 3 > /sys/module/apus/parameters/pool
        chmod 666 /dev/apus
        apus run --no-console --quiet --cpu 3 --kernel /lab/guest/spin < /dev/null &
        expect cpu-3-lent within 10 offline 3
        sleep 1
        echo 'done 0' >&3
        dmesg -n 8
        echo 'stuck-reboot: asked' > /dev/kmsg
        reboot -f
        sleep 40

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
    guard let asked = time(of: "stuck-reboot: asked", in: report) else {
      return "the reboot was not asked for"
    }
    guard let restarted = time(of: "reboot: Restarting system", in: report) else {
      return "the machine did not restart"
    }
    let seconds = restarted - asked
    return seconds <= restartLimit ? nil : "it took \(seconds) s"
  }

  /// `[   12.345678] words`.
  private static func time(of words: String, in report: Report) -> Double? {
    guard let line = report.console.last(where: { $0.contains(words) }),
      let number = line.split(whereSeparator: { "[] ".contains($0) }).first
    else { return nil }
    return Double(number)
  }
}
