// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// A CPU changes hands and comes back, `count` times, with guests of a few instructions.
  static func takeAndReturn(_ name: String, count: Int, suite: Suite) -> Scenario {
    var scenario = Scenario(
      name: name, summary: "\(count) × a CPU is lent and comes back, and so does all memory",
      seconds: 60 + 5 * count,
      script: """
        cd /lab/guest
        dmesg -n 4
        load apus
        for kernel in off fault off; do
          apus run --no-console --quiet --cpu 3 --kernel $kernel < /dev/null 2>/dev/null
        done
        remember before
        done=0
        for round in $(seq \(count)); do
          apus run --no-console --quiet --cpu $((1 + round % 3)) --kernel off < /dev/null || break
          [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ] || break
          done=$round
          [ $((round % 10)) != 0 ] || step "$round of \(count)"
        done
        value rounds $done
        expect every-round [ $done = \(count) ]
        as_before
        step "a guest that ends itself, and one that sleeps for good"
        apus run --no-console --cpu 3 --kernel fault < /dev/null > /tmp/fault 2>&1
        expect triple-fault-is-the-guests-own [ $? = 2 ]
        expect triple-fault-reported grep -qi 'triple fault' /tmp/fault
        expect cpu-back-after-fault online 3
        apus run --no-console --quiet --cpu 3 --kernel halt < /dev/null &
        guest=$!
        within 10 offline 3
        sleep 0.5
        kill -INT $guest
        wait $guest
        expect sleeper-ended [ $? = 130 ]
        expect cpu-back-after-sleep online 3
        expect host-unhurt clean_kernel_log
        expect driver-unloads rmmod apus

        """)
    scenario.suite = suite
    scenario.machine.append = "panic_on_warn=1"
    scenario.expected = ["every-round", "memory-as-before", "sleeper-ended", "driver-unloads"]
    return scenario
  }
}
