// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// A stock guest from its kernel to its power-off, `count` times, with cyclictest in between.
  static func wholeGuest(_ name: String, count: Int, suite: Suite) -> Scenario {
    var scenario = Scenario(
      name: name, summary: "\(count) × a stock guest on a lent CPU, from kernel to power-off",
      seconds: 60 + 40 * count,
      script: """
        cd /lab/guest
        dmesg -n 4
        load apus
        # Once for what Linux allocates at the first time.
        apus run --no-console --quiet --cpu 3 --kernel off < /dev/null
        remember before
        for round in $(seq \(count)); do
          step "guest $round of \(count)"
          apus run --cpu 3 --kernel vmlinuz --initrd initramfs --json /tmp/run.json \\
            --append 'console=ttyS0 loglevel=6 LAB_WORK=measure LAB_LOOPS=1000 LAB_IDLE=2' \\
            < /dev/null > /tmp/console 2>&1
          status=$?
          [ $status = 0 ] || { tail -n 20 /tmp/console; break; }
          online 3 || break
        done
        expect powered-off [ $status = 0 ]
        expect cpu-back online 3
        expect console-seen grep -q 'Linux version' /tmp/console
        [ ! -s /tmp/run.json ] || attach run.json /tmp/run.json
        as_before
        expect host-unhurt clean_kernel_log

        """)
    scenario.suite = suite
    scenario.machine.append = "panic_on_warn=1"
    scenario.expected = ["powered-off", "cpu-back", "console-seen", "memory-as-before"]
    scenario.checks = [
      .init("guest-runs-directly") { report in
        do {
          guard let text = report.text(of: "run.json") else { return "no report of the guest" }
          return try DemoColumn(GuestRun(json: text)).problem
        } catch { return "\(error)" }
      }
    ]
    return scenario
  }
}

extension DemoColumn {
  /// What keeps this from being a guest on a lent CPU that needs nobody.
  fileprivate var problem: String? {
    DemoVerdict.checks(apus: self).first { !$0.passed }.map { "\($0.name): \($0.detail)" }
  }
}
